SELECT id, author_id, content, state, answered_at, seen_at, created_at, updated_at
FROM support_tickets WHERE organization_id = $1 AND id = $2
