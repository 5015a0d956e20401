INSERT INTO number_registrations (organization_id, number_id, source, parts, set_by, checked_at, due_at, failures,
    failure, closed_code, closed_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (organization_id, number_id) DO UPDATE SET source = excluded.source, parts = excluded.parts,
    set_by = excluded.set_by, checked_at = excluded.checked_at, due_at = excluded.due_at, failures = excluded.failures,
    failure = excluded.failure, closed_code = excluded.closed_code, closed_at = excluded.closed_at,
    lease_node = NULL, lease_until = NULL, updated_at = excluded.updated_at
