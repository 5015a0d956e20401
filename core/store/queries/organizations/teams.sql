SELECT id, name FROM teams WHERE organization_id = $1 ORDER BY name
