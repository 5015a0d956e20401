SELECT id, owner_id, shared, team_id, content, version FROM views
WHERE organization_id = $1 AND (owner_id = $2 OR shared = 'everybody' OR (shared = 'team' AND team_id IN (
    SELECT team_id FROM team_members WHERE organization_id = $1 AND staff_id = $2)))
ORDER BY id
