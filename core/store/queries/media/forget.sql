DELETE FROM media WHERE organization_id = $1 AND id = $2 AND message_id IS NULL
