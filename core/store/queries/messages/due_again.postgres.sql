-- A message that was put aside, if nothing is ahead of it any more.
UPDATE messages m SET due_at = $3
WHERE m.organization_id = $1 AND m.id = $2 AND m.lease_node IS NULL AND m.due_at > $3
  AND NOT EXISTS (
      SELECT 1 FROM messages e
      WHERE e.organization_id = m.organization_id AND e.number_id = m.number_id AND e.peer_hash = m.peer_hash
        AND e.direction = m.direction AND e.in_lane AND e.due_at IS NOT NULL AND e.id < m.id)
