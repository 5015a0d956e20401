SELECT id, conversation_id, direction, author, author_id, body, created_at FROM messages
WHERE (organization_id, id) IN (
