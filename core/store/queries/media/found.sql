UPDATE media SET state = 'ready', reason = NULL
WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND state = 'gone' AND reason = $4
