SELECT NOT EXISTS (SELECT 1 FROM deliveries
    WHERE organization_id = $1 AND state = $2 AND carrier_account_id = $3 AND id <> $4)
