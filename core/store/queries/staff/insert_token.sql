INSERT INTO tokens (organization_id, id, staff_id, name, secret_hash, scopes, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
