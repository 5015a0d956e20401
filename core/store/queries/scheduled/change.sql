UPDATE scheduled_texts SET body = $4, send_at = $5, updated_at = $6, version = version + 1
WHERE organization_id = $1 AND id = $2 AND version = $3 AND state = 'waiting'
