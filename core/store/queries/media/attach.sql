-- An upload goes with one message.
UPDATE media SET message_id = $3, position = $4
WHERE organization_id = $1 AND id = $2 AND message_id IS NULL AND staff_id = $5 AND state = 'ready'
