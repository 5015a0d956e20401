SELECT carrier_account_id, node, lease_until, state, since FROM carrier_links
WHERE organization_id = $1 AND carrier_account_id = $2
