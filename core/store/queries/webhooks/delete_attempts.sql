DELETE FROM webhook_attempts WHERE organization_id = $1 AND webhook_id = $2
