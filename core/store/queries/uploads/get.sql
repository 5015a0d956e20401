SELECT u.id, u.state, u.step, u.digest, u.bytes, u.refusal, u.policy_id, s.settings, u.created_by, u.created_at, u.ended_at
FROM policy_uploads u
LEFT JOIN policy_settings s ON s.organization_id = u.organization_id AND s.digest = u.settings_digest
WHERE u.organization_id = $1 AND u.id = $2
