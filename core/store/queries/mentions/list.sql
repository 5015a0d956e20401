SELECT note_id, conversation_id, read_at FROM mentions
WHERE organization_id = $1 AND staff_id = $2 AND note_id < $3 AND (read_at IS NULL OR NOT $4)
ORDER BY note_id DESC LIMIT $5
