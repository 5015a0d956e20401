UPDATE messages SET state = $4, carrier_message_id = COALESCE($5, carrier_message_id), error_code = $6,
    error_text = $7, due_at = $8, lease_node = NULL, in_doubt = $9, sent_at = COALESCE(sent_at, $10),
    finished_at = $11
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'sending'
