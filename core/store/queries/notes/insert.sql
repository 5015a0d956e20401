INSERT INTO notes (organization_id, id, conversation_id, author_id, body, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
