-- One for each carrier account that has none yet.
INSERT INTO reconciliations (organization_id, carrier_account_id, due_at, failures, found_messages, found_receipts)
VALUES ($1, $2, $3, 0, 0, 0)
ON CONFLICT (organization_id, carrier_account_id) DO NOTHING
