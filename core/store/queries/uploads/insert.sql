INSERT INTO policy_uploads (organization_id, id, state, step, digest, bytes, created_by, created_at)
VALUES ($1, $2, 'checking', 'component', $3, $4, $5, $6)
