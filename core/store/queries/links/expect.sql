INSERT INTO link_deliveries (organization_id, carrier_account_id, carrier_message_id, fingerprint, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (organization_id, carrier_account_id, carrier_message_id) DO NOTHING
