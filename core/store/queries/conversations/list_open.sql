SELECT id, number_id, peer, patient_id, identity, exchanges, state, assignee_id, team_id, facility_id, category,
    priority, tags, turn_number, waiting_since, last_message_at, snoozed_until, created_at, version FROM conversations
WHERE organization_id = $1 AND state IN ('open', 'snoozed')
  AND (CAST($2 AS TEXT) IS NULL OR ($2 = 'unassigned' AND assignee_id IS NULL AND state = 'open')
       OR ($2 = 'mine' AND assignee_id = $3)
       OR ($2 = 'team' AND team_id IN (SELECT team_id FROM team_members
                                       WHERE organization_id = $1 AND staff_id = $3)))
  AND (sort_at > $4
       OR (sort_at = $4 AND id > $5))
ORDER BY sort_at, id LIMIT $6
