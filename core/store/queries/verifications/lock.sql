INSERT INTO verification_locks (organization_id, scope, subject_hash, reason, conversation_id, created_at, until)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (organization_id, scope, subject_hash) DO UPDATE SET reason = EXCLUDED.reason,
    conversation_id = EXCLUDED.conversation_id, created_at = EXCLUDED.created_at, until = EXCLUDED.until
