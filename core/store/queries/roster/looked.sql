UPDATE roster_sources SET look_node = NULL, look_until = NULL, last_look_at = $4, last_look = $5, failures = $6,
    next_look_at = CASE WHEN next_look_at IS NULL THEN NULL ELSE CAST($7 AS BIGINT) END
WHERE organization_id = $1 AND id = $2 AND look_node = $3
