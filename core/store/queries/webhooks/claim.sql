UPDATE webhook_endpoints SET lease_node = $3, lease_until = $4
WHERE organization_id = $1 AND id = $2 AND state = 'active'
  AND (lease_until IS NULL OR lease_until <= $5 OR lease_node = $3)
