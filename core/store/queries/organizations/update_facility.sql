UPDATE facilities SET name = $3, time_zone = $4, hours = $5, version = version + 1
WHERE organization_id = $1 AND id = $2 AND version = $6
