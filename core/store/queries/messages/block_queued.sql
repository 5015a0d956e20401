UPDATE messages SET state = 'blocked', due_at = NULL, error_code = 'opted_out', error_text = $5, finished_at = $4
WHERE organization_id = $1 AND peer_hash = $2 AND ($3 IS NULL OR number_id = $3) AND direction = 'outbound'
  AND due_at > 0 AND state = 'queued' AND NOT despite_opt_out
RETURNING id, conversation_id
