SELECT message_id, conversation_id, number_id, asked_at, due_at, state, resolved_at, resolved_by
FROM revocations WHERE organization_id = $1 AND state = 'open' AND (due_at, message_id) > ($2, $3)
ORDER BY due_at, message_id LIMIT $4
