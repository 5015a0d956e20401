SELECT number_id, facility_id, team_id FROM conversations WHERE organization_id = $1 AND id = $2
