SELECT id, conversation_id, body, extra, author, author_id, send_at, state, message_id, created_at, updated_at, version
FROM scheduled_texts WHERE organization_id = $1 AND conversation_id = $2 AND state = 'waiting' ORDER BY send_at, id
LIMIT $3
