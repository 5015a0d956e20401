-- A page is behind it.
UPDATE reconciliations SET page = $4, due_at = $5, found_messages = found_messages + $6,
    found_receipts = found_receipts + $7
WHERE organization_id = $1 AND carrier_account_id = $2 AND lease_node = $3
