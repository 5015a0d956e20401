SELECT message_id, conversation_id, number_id, asked_at, due_at, state, resolved_at, resolved_by
FROM revocations WHERE organization_id = $1 AND message_id = $2
