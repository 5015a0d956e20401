UPDATE roster_runs SET state = $4, phase = 'ended', problem = $5, ended_at = $6, lease_node = NULL, lease_until = NULL
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'running'
