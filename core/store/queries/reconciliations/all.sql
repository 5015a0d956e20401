SELECT carrier_account_id, listed_until, due_at, failures, last_outcome, last_at, found_messages, found_receipts
FROM reconciliations WHERE organization_id = $1 ORDER BY carrier_account_id
