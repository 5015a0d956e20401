SELECT t.id, t.staff_id, t.name AS token_name, t.secret_hash, t.scopes, t.created_at, t.last_used_at, p.name, p.role FROM tokens t
JOIN staff p ON p.organization_id = t.organization_id AND p.id = t.staff_id AND p.active
WHERE t.organization_id = $1 AND t.id = $2 AND t.revoked_at IS NULL
