-- Never back: another tab may have seen more.
INSERT INTO looks (organization_id, staff_id, conversation_id, message_id) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, staff_id, conversation_id) DO UPDATE SET message_id = excluded.message_id
WHERE looks.message_id < excluded.message_id
