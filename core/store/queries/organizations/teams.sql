SELECT id, name, version FROM teams WHERE organization_id = $1 ORDER BY name
