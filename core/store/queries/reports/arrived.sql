SELECT created_at FROM messages WHERE organization_id = $1 AND id = $2
