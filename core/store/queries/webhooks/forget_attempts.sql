DELETE FROM webhook_attempts WHERE organization_id = $1 AND webhook_id = $2 AND id < (
    SELECT id FROM webhook_attempts WHERE organization_id = $1 AND webhook_id = $2
    ORDER BY id DESC LIMIT 1 OFFSET $3)
