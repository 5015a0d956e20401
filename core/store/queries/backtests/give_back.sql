UPDATE backtests SET state = 'waiting', lease_node = NULL, lease_until = NULL, started_at = NULL, total = 0, done = 0
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'running'
