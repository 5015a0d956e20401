INSERT INTO staff (organization_id, id, name, email, password_hash, role, active, created_at)
VALUES ($1, $2, $3, $4, $5, $6, TRUE, $7)
