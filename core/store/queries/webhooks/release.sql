UPDATE webhook_endpoints SET lease_node = NULL, lease_until = NULL
WHERE organization_id = $1 AND id = $2 AND lease_node = $3
