UPDATE patients SET survivor_id = $3 WHERE organization_id = $1 AND id = $2
