SELECT id, name, time_zone, hours, version FROM facilities WHERE organization_id = $1 ORDER BY name
