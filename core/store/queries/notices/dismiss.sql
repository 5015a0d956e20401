UPDATE notices SET dismissed_at = $3, dismissed_by = $4
WHERE organization_id = $1 AND id = $2 AND dismissed_at IS NULL
