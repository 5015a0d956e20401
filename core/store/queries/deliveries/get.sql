SELECT id, carrier_account_id, endpoint, state, reason, content, attempts, received_at, retried_at FROM deliveries
WHERE organization_id = $1 AND id = $2
