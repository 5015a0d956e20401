INSERT INTO policies (organization_id, id, name, version, origin, digest, manifest, hooks, imports, probe, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
