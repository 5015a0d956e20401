UPDATE messages SET state = $4, conversation_id = $5, due_at = NULL, lease_node = NULL
WHERE organization_id = $1 AND id = $2 AND state = 'processing' AND lease_node = $3 AND due_at IS NOT NULL
