SELECT id FROM conversations WHERE organization_id = $1 AND team_id = $2 LIMIT 1
