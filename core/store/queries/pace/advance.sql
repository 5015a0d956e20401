UPDATE number_pace SET free_at = $3 WHERE organization_id = $1 AND number_id = $2
