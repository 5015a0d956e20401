-- Staff have answered: what quiet hours put off is not said any more.
UPDATE scheduled_texts SET state = 'canceled', updated_at = $3, version = version + 1
WHERE organization_id = $1 AND conversation_id = $2 AND state = 'waiting' AND author <> 'staff'
RETURNING id
