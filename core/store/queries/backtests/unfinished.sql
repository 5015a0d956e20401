SELECT COUNT(*) FROM backtests WHERE organization_id = $1 AND state IN ('waiting', 'running')
