SELECT tag FROM conversation_tags WHERE organization_id = $1 AND conversation_id = $2
