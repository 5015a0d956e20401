INSERT INTO idempotency (organization_id, actor_id, key_hash, request_hash, resource_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organization_id, actor_id, key_hash) DO NOTHING
