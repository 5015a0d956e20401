SELECT id, name, version, origin, digest, manifest, created_at FROM policies WHERE organization_id = $1 ORDER BY name, id
