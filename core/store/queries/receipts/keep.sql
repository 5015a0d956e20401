INSERT INTO early_receipts (organization_id, carrier_account_id, carrier_message_id, state, error_code, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organization_id, carrier_account_id, carrier_message_id, state) DO NOTHING
