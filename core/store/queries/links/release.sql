DELETE FROM carrier_links WHERE organization_id = $1 AND carrier_account_id = $2 AND node = $3
