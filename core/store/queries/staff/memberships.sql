SELECT team_id, staff_id FROM team_members WHERE organization_id = $1
