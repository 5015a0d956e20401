-- Only by the node that has it, and only as long as nobody has changed it: otherwise the event is told again.
UPDATE webhook_endpoints SET position = $5, state = $6, failures = $7, failing_since = $8, failure = $9, due_at = $10,
    told_at = $11, lease_until = $12
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND version = $4
