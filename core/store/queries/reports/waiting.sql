SELECT number_id, facility_id, team_id, assignee_id, COUNT(*) AS waiting, MIN(waiting_since) AS since
FROM conversations
WHERE organization_id = $1 AND state = 'open' AND waiting_since IS NOT NULL
GROUP BY number_id, facility_id, team_id, assignee_id
