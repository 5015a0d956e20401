SELECT id, name, version, origin, digest, manifest, hooks, imports, probe, created_by, created_at FROM policies
WHERE organization_id = $1 ORDER BY name, id
