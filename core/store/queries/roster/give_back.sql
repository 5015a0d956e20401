UPDATE roster_runs SET state = 'waiting', lease_node = NULL, lease_until = NULL
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'running'
