INSERT INTO mentions (organization_id, staff_id, note_id, conversation_id) VALUES ($1, $2, $3, $4)
