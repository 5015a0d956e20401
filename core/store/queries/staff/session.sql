SELECT s.staff_id, s.csrf_token, s.expires_at, p.name, p.role FROM sessions s
JOIN staff p ON p.organization_id = s.organization_id AND p.id = s.staff_id AND p.active
WHERE s.organization_id = $1 AND s.secret_hash = $2 AND s.expires_at > $3
