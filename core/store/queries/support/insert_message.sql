INSERT INTO support_messages (organization_id, id, ticket_id, author_id, body, mail, mail_due_at, mail_attempts, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)
