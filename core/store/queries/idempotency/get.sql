SELECT request_hash, resource_id FROM idempotency WHERE organization_id = $1 AND actor_id = $2 AND key_hash = $3
