-- As claim_inbound. `in_doubt` above 1 afterwards: an earlier attempt began and nobody saw its end.
UPDATE messages SET state = 'sending', attempt = attempt + 1, in_doubt = in_doubt + 1, due_at = $2, lease_node = $3
WHERE (organization_id, id) IN (
    SELECT m.organization_id, m.id FROM messages m
    WHERE m.direction = 'outbound' AND m.due_at <= $1
      AND NOT EXISTS (
          SELECT 1 FROM messages e
          WHERE e.organization_id = m.organization_id AND e.number_id = m.number_id
            AND e.peer_hash = m.peer_hash AND e.direction = m.direction
            AND e.due_at IS NOT NULL AND e.id < m.id)
    ORDER BY m.due_at LIMIT $4)
RETURNING organization_id, id, carrier_account_id, number_id, peer_hash, peer, body, conversation_id, author,
    attempt, in_doubt, despite_opt_out, error_code, created_at
