-- Who is next on number $2. Only the first text of each conversation is parked, what stands behind it waits in its
-- lane: it is as urgent as the most urgent of them, a confirmation of an opt-out before a reply of staff before
-- automatic texts. Among equals the one parked first: so conversations take turns.
SELECT p.id FROM messages p
WHERE p.organization_id = $1 AND p.number_id = $2 AND p.pace = 'parked'
ORDER BY (
    SELECT MIN(CASE WHEN b.despite_opt_out THEN 0 WHEN b.author = 'staff' THEN 1 ELSE 2 END) FROM messages b
    WHERE b.organization_id = $1 AND b.number_id = $2 AND b.peer_hash = p.peer_hash AND b.direction = 'outbound'
      AND b.in_lane AND b.due_at IS NOT NULL AND b.id >= p.id), p.due_at, p.id
LIMIT $3
