INSERT INTO organizations (id, name, settings, wrapped_key, created_at)
VALUES ($1, $2, $3, $4, $5)
