SELECT organization_id, id FROM carrier_accounts WHERE carrier = $1 ORDER BY organization_id, id
