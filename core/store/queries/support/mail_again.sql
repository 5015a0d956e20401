-- What was given up is tried from the start.
UPDATE support_messages SET mail = 'waiting', mail_due_at = $3, mail_attempts = 0
WHERE organization_id = $1 AND ticket_id = $2 AND mail = 'failed'
