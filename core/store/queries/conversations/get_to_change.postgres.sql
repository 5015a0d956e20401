-- As `get`; on PostgreSQL the row is locked.
SELECT id, number_id, peer, patient_id, identity, exchanges, state, assignee_id, team_id, facility_id, category,
    priority, tags, turn_number, waiting_since, last_message_at, snoozed_until, created_at, version,
    reopens_to_assignee, staff_set FROM conversations WHERE organization_id = $1 AND id = $2
FOR UPDATE
