SELECT id, author_id, body, created_at FROM notes
WHERE organization_id = $1 AND conversation_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4
