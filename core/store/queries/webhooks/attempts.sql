SELECT id, seq, kind, outcome, status, millis, created_at FROM webhook_attempts
WHERE organization_id = $1 AND webhook_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4
