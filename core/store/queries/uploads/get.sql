SELECT id, state, step, digest, bytes, refusal, policy_id, settings_digest, created_by, created_at, ended_at FROM policy_uploads
WHERE organization_id = $1 AND id = $2
