-- Those of all organizations that have something to be told, and that no other node is at.
SELECT w.organization_id, w.id FROM webhook_endpoints w JOIN organizations o ON o.id = w.organization_id
WHERE w.state = 'active' AND o.event_seq > w.position AND (w.due_at IS NULL OR w.due_at <= $1)
  AND (w.lease_until IS NULL OR w.lease_until <= $1 OR w.lease_node = $2)
ORDER BY w.organization_id, w.id
