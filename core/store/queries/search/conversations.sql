SELECT id, number_id, peer, created_at FROM conversations WHERE (organization_id, id) IN (
