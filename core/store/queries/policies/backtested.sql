SELECT 1 FROM backtests WHERE organization_id = $1 AND policy_id = $2 AND hook = $3 AND state = 'done' LIMIT 1
