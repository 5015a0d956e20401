UPDATE conversations SET patient_id = $3, identity = $4, exchanges = $5, state = $6, assignee_id = $7, team_id = $8,
    facility_id = $9, category = $10, priority = $11, tags = $12, turn_number = $13, waiting_since = $14,
    last_message_at = $15, snoozed_until = $16, reopens_to_assignee = $18, staff_set = $19,
    sort_at = COALESCE($14, 9223372036854775807), version = version + 1
WHERE organization_id = $1 AND id = $2 AND version = $17
