SELECT free_at FROM number_pace WHERE organization_id = $1 AND number_id = $2 FOR UPDATE
