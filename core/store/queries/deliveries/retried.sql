UPDATE deliveries SET state = $3, reason = $4, attempts = attempts + 1, retried_at = $5
WHERE organization_id = $1 AND id = $2
