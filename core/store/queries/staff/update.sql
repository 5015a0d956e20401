UPDATE staff SET name = $3, email = $4, role = $5, active = $6, version = version + 1
WHERE organization_id = $1 AND id = $2 AND version = $7
