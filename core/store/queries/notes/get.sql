SELECT id, author_id, body, created_at FROM notes WHERE organization_id = $1 AND id = $2
