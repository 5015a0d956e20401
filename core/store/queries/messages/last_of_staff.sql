-- `id < $3` leads to the index of the conversation.
SELECT created_at FROM messages
WHERE organization_id = $1 AND conversation_id = $2 AND id < $3 AND direction = 'outbound' AND author = 'staff'
ORDER BY id DESC LIMIT 1
