SELECT
    COALESCE(SUM(CASE WHEN state = 'open' AND assignee_id IS NULL THEN 1 ELSE 0 END), 0) AS unassigned,
    COALESCE(SUM(CASE WHEN assignee_id = $2 THEN 1 ELSE 0 END), 0) AS mine,
    COALESCE(SUM(CASE WHEN team_id IN (SELECT team_id FROM team_members
                             WHERE organization_id = $1 AND staff_id = $2) THEN 1 ELSE 0 END), 0) AS team,
    COUNT(*) AS all_open,
    COALESCE(SUM(CASE WHEN state = 'snoozed' THEN 1 ELSE 0 END), 0) AS snoozed,
    (SELECT COUNT(*) FROM conversations WHERE organization_id = $1 AND state = 'closed') AS closed
FROM conversations WHERE organization_id = $1 AND state <> 'closed'
