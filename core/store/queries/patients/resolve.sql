SELECT COALESCE(survivor_id, id) FROM patients WHERE organization_id = $1 AND id = $2
