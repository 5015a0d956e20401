-- The one that has been due longest.
UPDATE reconciliations SET due_at = $2, lease_node = $3
WHERE (organization_id, carrier_account_id) IN (
    SELECT organization_id, carrier_account_id FROM reconciliations WHERE due_at <= $1 ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING organization_id, carrier_account_id, listed_until, page, failures
