SELECT seq, kind, conversation_id, actor, actor_id, data, created_at FROM events
WHERE organization_id = $1 AND conversation_id = $2 AND seq < $3 ORDER BY seq DESC LIMIT $4
