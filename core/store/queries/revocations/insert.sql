INSERT INTO revocations (organization_id, message_id, conversation_id, peer_hash, number_id, asked_at, due_at, remind_at,
    state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open')
ON CONFLICT (organization_id, message_id) DO NOTHING
