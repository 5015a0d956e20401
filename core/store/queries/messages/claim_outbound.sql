-- As claim_inbound. `in_doubt` above 1 afterwards: an earlier attempt began and nobody saw its end.
WITH due AS (
    SELECT organization_id, id, number_id, peer_hash FROM messages
    WHERE direction = 'outbound' AND due_at <= $1 ORDER BY due_at LIMIT $4),
judged AS (
    SELECT organization_id, id,
        ROW_NUMBER() OVER (PARTITION BY organization_id, number_id, peer_hash ORDER BY id) > 1
        OR EXISTS (
            SELECT 1 FROM messages e
            WHERE e.organization_id = due.organization_id AND e.number_id = due.number_id
              AND e.peer_hash = due.peer_hash AND e.direction = 'outbound'
              AND e.in_lane AND e.due_at IS NOT NULL AND e.id < due.id) AS behind
    FROM due)
UPDATE messages SET in_lane = TRUE,
    due_at = CASE WHEN s.behind THEN $5 ELSE $2 END,
    lease_node = CASE WHEN s.behind THEN NULL ELSE $3 END,
    state = CASE WHEN s.behind THEN messages.state ELSE 'sending' END,
    attempt = messages.attempt + CASE WHEN s.behind THEN 0 ELSE 1 END,
    in_doubt = messages.in_doubt + CASE WHEN s.behind THEN 0 ELSE 1 END
FROM judged s WHERE messages.organization_id = s.organization_id AND messages.id = s.id
RETURNING organization_id, id, lease_node, carrier_account_id, number_id, peer, body, conversation_id,
    author, attempt, in_doubt, despite_opt_out, error_code, created_at, pace
