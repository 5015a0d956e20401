UPDATE roster_runs SET state = 'cancelled', phase = 'ended', ended_at = $3, lease_node = NULL, lease_until = NULL
WHERE organization_id = $1 AND id = $2 AND state IN ('waiting', 'running')
