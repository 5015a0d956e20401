UPDATE teams SET name = $3, version = version + 1
WHERE organization_id = $1 AND id = $2 AND version = $4
