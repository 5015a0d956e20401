DELETE FROM team_members WHERE organization_id = $1 AND team_id = $2
