UPDATE support_tickets SET state = 'open', seen_at = $3, updated_at = $3 WHERE organization_id = $1 AND id = $2
