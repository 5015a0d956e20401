INSERT INTO policy_signatures (organization_id, policy_id, key_id, signature, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organization_id, policy_id, key_id) DO NOTHING
