SELECT report FROM backtests WHERE organization_id = $1 AND id = $2
