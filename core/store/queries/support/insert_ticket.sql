INSERT INTO support_tickets (organization_id, id, author_id, content, state, created_at, updated_at)
VALUES ($1, $2, $3, $4, 'open', $5, $5)
