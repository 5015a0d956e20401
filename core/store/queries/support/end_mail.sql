-- `$3` is the lease that the attempt had: a node that was too slow records nothing.
UPDATE support_messages SET mail = $4, mail_due_at = $5, mail_problem = $6
WHERE organization_id = $1 AND id = $2 AND mail_due_at = $3
