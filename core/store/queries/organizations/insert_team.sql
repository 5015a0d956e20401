INSERT INTO teams (organization_id, id, name) VALUES ($1, $2, $3)
