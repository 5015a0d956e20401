DELETE FROM link_deliveries WHERE organization_id = $1 AND carrier_account_id = $2 AND carrier_message_id = $3
