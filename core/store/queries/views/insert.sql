INSERT INTO views (organization_id, id, owner_id, shared, team_id, content, created_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
