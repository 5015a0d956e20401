INSERT INTO compiled_forms (organization_id, label, form, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, label) DO NOTHING
