SELECT number_id, per_minute FROM number_pace WHERE organization_id = $1 AND per_minute IS NOT NULL
