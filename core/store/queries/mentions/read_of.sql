UPDATE mentions SET read_at = $4
WHERE organization_id = $1 AND staff_id = $2 AND conversation_id = $3 AND read_at IS NULL
