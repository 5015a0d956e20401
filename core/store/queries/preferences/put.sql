INSERT INTO preferences (organization_id, staff_id, settings, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, staff_id) DO UPDATE SET settings = excluded.settings, updated_at = excluded.updated_at
