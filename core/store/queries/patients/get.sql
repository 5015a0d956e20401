SELECT id, kind, profile, state, merged_into, survivor_id, version, created_at, updated_at FROM patients WHERE organization_id = $1 AND id = $2
