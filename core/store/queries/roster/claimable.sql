SELECT EXISTS (SELECT 1 FROM roster_runs AS r
    WHERE (r.state = 'waiting' OR (r.state = 'running' AND (r.lease_until <= $1 OR r.lease_node = $2))))
