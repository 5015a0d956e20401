SELECT id, owner_id, shared, team_id, content, version FROM views WHERE organization_id = $1 AND id = $2
