UPDATE messages SET due_at = $3 WHERE organization_id = $1 AND id = $2 AND lease_node IS NULL AND due_at IS NOT NULL
