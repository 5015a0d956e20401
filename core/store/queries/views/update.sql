UPDATE views SET shared = $3, team_id = $4, content = $5, version = version + 1
WHERE organization_id = $1 AND id = $2 AND version = $6
