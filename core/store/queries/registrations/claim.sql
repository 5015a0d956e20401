-- A node asks about one number at a time: what it had leased before is of an earlier life.
UPDATE number_registrations SET lease_node = $2, lease_until = $3
WHERE (organization_id, number_id) IN (
    SELECT organization_id, number_id FROM number_registrations
    WHERE due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1 OR lease_node = $2)
    ORDER BY due_at LIMIT 1)
RETURNING organization_id, number_id
