-- The mail that has been due longest, and when its lease ends.
UPDATE support_messages SET mail_due_at = $2, mail_attempts = mail_attempts + 1
WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM support_messages WHERE mail_due_at <= $1 ORDER BY mail_due_at LIMIT 1)
RETURNING organization_id, id, ticket_id, mail_attempts
