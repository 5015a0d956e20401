UPDATE messages SET state = 'blocked', due_at = NULL, error_code = 'opted_out', error_text = $5, finished_at = $4
WHERE organization_id = $1 AND peer_hash = $2 AND direction = 'outbound' AND state = 'queued'
  AND number_id IN (SELECT id FROM numbers WHERE organization_id = $1 AND (id = $3 OR $3 IS NULL))
  AND in_lane AND due_at IS NOT NULL AND NOT despite_opt_out
RETURNING id, conversation_id
