SELECT id, actor, actor_id, action, subject, request_id, created_at FROM audit
WHERE organization_id = $1 AND subject = $2 AND id < $3 ORDER BY id DESC LIMIT $4
