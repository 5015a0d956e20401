UPDATE media SET due_at = $4, lease_node = NULL
WHERE organization_id = $1 AND id = $2 AND state = 'fetching' AND lease_node = $3
