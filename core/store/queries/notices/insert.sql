INSERT INTO notices (organization_id, id, kind, data, created_at) VALUES ($1, $2, $3, $4, $5)
