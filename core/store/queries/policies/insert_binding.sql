INSERT INTO bindings (organization_id, id, hook, number_id, position, mode, policy_id, settings_digest,
    granted_fields, canary, replaced_id, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
