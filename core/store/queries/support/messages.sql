SELECT id, ticket_id, author_id, body, mail, mail_problem, created_at
FROM support_messages WHERE organization_id = $1 AND ticket_id = $2 ORDER BY id
