UPDATE roster_sources SET name = $4, settings = $5, secrets = $6, enabled = $7, next_look_at = $8, failures = 0,
    updated_at = $9, version = version + 1
WHERE organization_id = $1 AND id = $2 AND version = $3
