INSERT INTO components (organization_id, digest, bytes, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, digest) DO NOTHING
