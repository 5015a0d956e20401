SELECT id, direction, carrier_account_id, number_id, peer, body, extra, carrier_message_id, conversation_id, author,
    author_id, state, attempt, segments, error_code, error_text, created_at, sent_at, finished_at FROM messages
WHERE organization_id = $1 AND conversation_id = $2 AND id < $3 AND id >= $4 ORDER BY id DESC LIMIT $5
