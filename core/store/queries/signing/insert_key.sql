INSERT INTO signing_keys (organization_id, id, name, public_key, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
