UPDATE messages SET state = $4, due_at = $5, lease_node = NULL
WHERE organization_id = $1 AND id = $2 AND state = 'processing' AND lease_node = $3
