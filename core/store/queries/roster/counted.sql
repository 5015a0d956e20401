UPDATE roster_runs SET phase = 'applying', total = $4
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'running'
