SELECT id, carrier_account_id, endpoint, state, reason, content, attempts, received_at, retried_at FROM deliveries
WHERE organization_id = $1 AND state = $2 AND id < $3 ORDER BY id DESC LIMIT $4
