SELECT t.id, t.name, t.version FROM team_members m
JOIN teams t ON t.organization_id = m.organization_id AND t.id = m.team_id
WHERE m.organization_id = $1 AND m.staff_id = $2 ORDER BY t.name
