UPDATE policy_uploads
SET state = $3, step = $4, refusal = $5, policy_id = $6, settings_digest = $7, ended_at = $8
WHERE organization_id = $1 AND id = $2 AND state = 'checking'
