-- The work on message $2 is over: what was put aside behind it is due now.
UPDATE messages SET due_at = $3
WHERE organization_id = $1 AND lease_node IS NULL AND due_at > $3 AND id = (
    SELECT n.id FROM messages m
    JOIN messages n ON n.organization_id = m.organization_id AND n.number_id = m.number_id
        AND n.peer_hash = m.peer_hash AND n.direction = m.direction AND n.in_lane AND n.due_at IS NOT NULL
    WHERE m.organization_id = $1 AND m.id = $2 ORDER BY n.id LIMIT 1)
