INSERT INTO drafts (organization_id, staff_id, conversation_id, content, updated_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (organization_id, staff_id, conversation_id) DO UPDATE SET content = excluded.content,
    updated_at = excluded.updated_at
