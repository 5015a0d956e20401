UPDATE messages SET carrier_message_id = $3
WHERE organization_id = $1 AND id = $2 AND carrier_message_id IS NULL
