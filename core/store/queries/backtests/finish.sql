UPDATE backtests SET state = 'done', total = $4, done = $5, report = $6, report_digest = $7, ended_at = $8,
    lease_node = NULL, lease_until = NULL
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'running'
