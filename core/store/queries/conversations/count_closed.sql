SELECT COUNT(*) FROM conversations WHERE organization_id = $1 AND state = 'closed'
