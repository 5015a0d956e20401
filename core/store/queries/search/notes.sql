SELECT id, conversation_id, author_id, body, created_at FROM notes WHERE (organization_id, id) IN (
