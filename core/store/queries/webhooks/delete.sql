DELETE FROM webhook_endpoints WHERE organization_id = $1 AND id = $2
