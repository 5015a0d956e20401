SELECT created_at FROM decisions
WHERE organization_id = $1 AND binding_id = $2 AND fault IS NOT NULL
    AND fault NOT IN ('host', 'input_too_large', 'wall_time')
ORDER BY id DESC LIMIT $3
