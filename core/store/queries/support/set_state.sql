UPDATE support_tickets SET state = $3, updated_at = $4 WHERE organization_id = $1 AND id = $2 AND state <> $3
