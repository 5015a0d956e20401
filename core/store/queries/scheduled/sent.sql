UPDATE scheduled_texts SET state = 'sent', message_id = $3, updated_at = $4, version = version + 1
WHERE organization_id = $1 AND id = $2 AND state = 'waiting'
