INSERT INTO sessions (organization_id, secret_hash, staff_id, csrf_token, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
