UPDATE support_tickets SET seen_at = $3 WHERE organization_id = $1 AND id = $2
