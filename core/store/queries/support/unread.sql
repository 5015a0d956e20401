SELECT COUNT(*) FROM support_tickets
WHERE organization_id = $1 AND author_id = $2 AND answered_at > COALESCE(seen_at, 0)
