SELECT organization_id, id, name, email, password_hash, role, active, version
FROM staff WHERE organization_id = $1 ORDER BY name, id
