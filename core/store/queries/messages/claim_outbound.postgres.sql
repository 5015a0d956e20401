-- As claim_inbound. `in_doubt` above 1 afterwards: an earlier attempt began and nobody saw its end.
-- Several nodes claim at once: a row that another one has locked is passed over, and its lane with it, since
-- what is older in a lane was judged before anything was locked.
WITH due AS MATERIALIZED (
    SELECT organization_id, id, number_id, peer_hash FROM messages
    WHERE direction = 'outbound' AND due_at <= $1 ORDER BY due_at LIMIT $4 * 4),
judged AS MATERIALIZED (
    SELECT organization_id, id,
        ROW_NUMBER() OVER (PARTITION BY organization_id, number_id, peer_hash ORDER BY id) > 1
        OR EXISTS (
            SELECT 1 FROM messages e
            WHERE e.organization_id = due.organization_id AND e.number_id = due.number_id
              AND e.peer_hash = due.peer_hash AND e.direction = 'outbound'
              AND e.in_lane AND e.due_at IS NOT NULL AND e.id < due.id) AS behind
    FROM due),
seen AS MATERIALIZED (
    SELECT m.organization_id, m.id, j.behind
    FROM messages m JOIN judged j ON j.organization_id = m.organization_id AND j.id = m.id
    WHERE m.due_at <= $1 ORDER BY m.due_at LIMIT $4 FOR UPDATE OF m SKIP LOCKED)
UPDATE messages m SET in_lane = TRUE,
    due_at = CASE WHEN s.behind THEN $5::bigint ELSE $2::bigint END,
    lease_node = CASE WHEN s.behind THEN NULL ELSE $3::uuid END,
    state = CASE WHEN s.behind THEN m.state ELSE 'sending' END,
    attempt = m.attempt + CASE WHEN s.behind THEN 0 ELSE 1 END,
    in_doubt = m.in_doubt + CASE WHEN s.behind THEN 0 ELSE 1 END
FROM seen s WHERE m.organization_id = s.organization_id AND m.id = s.id
RETURNING m.organization_id, m.id, m.lease_node, m.carrier_account_id, m.number_id, m.peer, m.body, m.conversation_id,
    m.author, m.attempt, m.in_doubt, m.despite_opt_out, m.error_code, m.created_at, m.pace
