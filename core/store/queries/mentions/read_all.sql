UPDATE mentions SET read_at = $3 WHERE organization_id = $1 AND staff_id = $2 AND read_at IS NULL
