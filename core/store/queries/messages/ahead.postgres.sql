-- An older message that message $2 waits behind, locked.
SELECT e.id FROM messages m
JOIN messages e ON e.organization_id = m.organization_id AND e.number_id = m.number_id
    AND e.peer_hash = m.peer_hash AND e.direction = m.direction AND e.id < m.id
WHERE m.organization_id = $1 AND m.id = $2 AND e.in_lane AND e.due_at IS NOT NULL
ORDER BY e.id LIMIT 1 FOR SHARE OF e
