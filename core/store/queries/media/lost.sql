UPDATE media SET state = 'gone', reason = $4
WHERE organization_id = $1 AND id = $2 AND attempt = $3 AND state = 'ready'
