DELETE FROM team_members WHERE organization_id = $1 AND staff_id = $2
