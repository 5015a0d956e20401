-- Those that have been due longest: new ones, those to be tried again, and those whose node is gone.
UPDATE media SET due_at = $2, lease_node = $3, attempt = attempt + 1
WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM media WHERE due_at <= $1 ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING organization_id, id, message_id, carrier_account_id, source, attempt, created_at
