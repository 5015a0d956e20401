INSERT INTO conversation_tags (organization_id, conversation_id, tag) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
