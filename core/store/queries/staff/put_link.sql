INSERT INTO staff_links (organization_id, staff_id, secret_hash, invites, created_by, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (organization_id, staff_id) DO UPDATE SET secret_hash = excluded.secret_hash, invites = excluded.invites,
    created_by = excluded.created_by, created_at = excluded.created_at, expires_at = excluded.expires_at
