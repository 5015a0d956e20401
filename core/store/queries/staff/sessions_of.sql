SELECT secret_hash, created_at, expires_at FROM sessions
WHERE organization_id = $1 AND staff_id = $2 AND expires_at > $3 ORDER BY created_at DESC
