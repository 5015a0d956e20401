SELECT s.key_id, k.name AS key_name, k.revoked_at, s.signature, s.created_by, s.created_at
FROM policy_signatures s
JOIN signing_keys k ON k.organization_id = s.organization_id AND k.id = s.key_id
WHERE s.organization_id = $1 AND s.policy_id = $2 ORDER BY s.created_at
