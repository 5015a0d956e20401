UPDATE backtests SET total = $4, done = $5, lease_until = $6
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'running'
