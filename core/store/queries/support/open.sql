SELECT COUNT(*) FROM support_tickets WHERE organization_id = $1 AND state = 'open'
