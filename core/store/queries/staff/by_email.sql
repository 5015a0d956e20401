SELECT organization_id, id, name, email, password_hash, role, active, version
FROM staff WHERE email = $1 AND active ORDER BY organization_id
