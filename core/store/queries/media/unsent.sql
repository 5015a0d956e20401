SELECT organization_id, id FROM media WHERE message_id IS NULL AND created_at < $1 ORDER BY created_at LIMIT 100
