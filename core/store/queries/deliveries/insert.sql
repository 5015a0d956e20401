INSERT INTO deliveries (organization_id, id, carrier_account_id, endpoint, state, reason, content, content_hash,
    attempts, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)
ON CONFLICT (organization_id, carrier_account_id, content_hash) DO NOTHING
