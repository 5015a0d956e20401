SELECT organization_id FROM carrier_accounts WHERE id = $1
