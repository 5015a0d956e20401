SELECT id, name, time_zone, hours FROM facilities WHERE organization_id = $1 ORDER BY name
