UPDATE scheduled_texts SET state = 'canceled', updated_at = $3, version = version + 1
WHERE organization_id = $1 AND id = $2 AND state = 'waiting'
