SELECT id, name, public_key, created_by, created_at, revoked_at FROM signing_keys
WHERE organization_id = $1 ORDER BY id
