UPDATE messages SET state = $3, error_code = $4, error_text = $5, due_at = NULL, lease_node = NULL, in_doubt = 0,
    sent_at = COALESCE(sent_at, $6), finished_at = $7
WHERE organization_id = $1 AND id = $2 AND state = $8
