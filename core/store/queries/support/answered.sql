UPDATE support_tickets SET state = 'answered', answered_at = $3, updated_at = $3 WHERE organization_id = $1 AND id = $2
