INSERT INTO bindings (organization_id, id, hook, number_id, position, mode, policy_id, settings_digest,
    granted_fields, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
