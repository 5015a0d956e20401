SELECT scope, reason, conversation_id, created_at, until FROM verification_locks
WHERE organization_id = $1 AND until > $2 AND ((scope = 'phone' AND subject_hash = $3)
    OR (scope = 'number' AND subject_hash = $4) OR (scope = 'organization' AND subject_hash = $5))
