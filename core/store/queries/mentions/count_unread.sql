SELECT COUNT(*) FROM mentions WHERE organization_id = $1 AND staff_id = $2 AND read_at IS NULL
