INSERT INTO policy_settings (organization_id, digest, settings, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, digest) DO NOTHING
