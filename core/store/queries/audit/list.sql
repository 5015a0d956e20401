SELECT id, actor, actor_id, action, subject, request_id, created_at FROM audit
WHERE organization_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
