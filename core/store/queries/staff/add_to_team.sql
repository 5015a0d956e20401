INSERT INTO team_members (organization_id, team_id, staff_id) VALUES ($1, $2, $3)
ON CONFLICT (organization_id, team_id, staff_id) DO NOTHING
