INSERT INTO webhook_endpoints (organization_id, id, setup, kinds, state, position, failures, created_by, created_at,
    updated_at, version)
VALUES ($1, $2, $3, $4, 'active', $5, 0, $6, $7, $7, 1)
