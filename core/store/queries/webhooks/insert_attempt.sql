INSERT INTO webhook_attempts (organization_id, webhook_id, id, seq, kind, outcome, status, millis, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
