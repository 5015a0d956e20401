INSERT INTO scheduled_texts (organization_id, id, conversation_id, body, extra, author, author_id, send_at, state,
    created_at, updated_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', $9, $9, 1)
