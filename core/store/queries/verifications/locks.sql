SELECT scope, reason, conversation_id, created_at, until FROM verification_locks
WHERE organization_id = $1 AND until > $2 ORDER BY created_at DESC LIMIT $3
