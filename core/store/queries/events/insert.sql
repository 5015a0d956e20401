INSERT INTO events (organization_id, seq, kind, conversation_id, actor, actor_id, data, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
