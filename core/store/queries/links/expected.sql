SELECT fingerprint, carrier_message_id FROM link_deliveries
WHERE organization_id = $1 AND carrier_account_id = $2 AND created_at >= $3
ORDER BY created_at, carrier_message_id
