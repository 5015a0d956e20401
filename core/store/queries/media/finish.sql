UPDATE media SET state = $4, reason = $5, kind = $6, bytes = $7, preview_bytes = $8, width = $9, height = $10,
    due_at = NULL, lease_node = NULL, finished_at = $11
WHERE organization_id = $1 AND id = $2 AND state = 'fetching' AND lease_node = $3
