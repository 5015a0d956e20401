SELECT b.id, b.hook, b.number_id, b.position, b.mode, b.policy_id, b.granted_fields, b.canary, b.replaced_id,
    b.halted_until, b.halts, b.created_by, b.created_at, b.retired_at, b.retired_because, b.settings_digest,
    p.digest, p.name AS policy_name, p.version AS policy_version, s.settings
FROM bindings b
JOIN policies p ON p.organization_id = b.organization_id AND p.id = b.policy_id
JOIN policy_settings s ON s.organization_id = b.organization_id AND s.digest = b.settings_digest
WHERE b.organization_id = $1 AND b.retired_at IS NULL
ORDER BY b.hook, b.number_id IS NULL, b.position, b.id
