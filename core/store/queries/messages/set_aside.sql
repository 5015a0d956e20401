SELECT id, direction, carrier_account_id, number_id, peer, body, extra, carrier_message_id, conversation_id, author,
    author_id, state, attempt, segments, error_code, error_text, created_at, sent_at, finished_at FROM messages
WHERE organization_id = $1 AND state IN ('dead', 'held', 'failed', 'unknown') AND id < $2
  AND (state = $3 OR $3 IS NULL)
ORDER BY id DESC LIMIT $4
