SELECT seq, kind, conversation_id, actor, actor_id, data, created_at FROM events
WHERE organization_id = $1 AND conversation_id = $2 ORDER BY seq LIMIT 1000
