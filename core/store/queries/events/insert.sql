INSERT INTO events (organization_id, seq, kind, conversation_id, actor, actor_id, data, created_at)
