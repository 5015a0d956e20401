UPDATE backtests SET state = 'failed', error = $4, ended_at = $5, lease_node = NULL, lease_until = NULL
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'running'
