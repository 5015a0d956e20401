SELECT EXISTS (SELECT 1 FROM backtests WHERE state = 'waiting' OR (state = 'running' AND lease_until <= $1))
