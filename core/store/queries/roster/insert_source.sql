INSERT INTO roster_sources (organization_id, id, name, settings, secrets, enabled, next_look_at, failures, created_by,
    created_at, updated_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, $9, 1)
