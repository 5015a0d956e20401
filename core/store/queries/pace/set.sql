INSERT INTO number_pace (organization_id, number_id, per_minute, free_at) VALUES ($1, $2, $3, 0)
ON CONFLICT (organization_id, number_id) DO UPDATE SET per_minute = excluded.per_minute
