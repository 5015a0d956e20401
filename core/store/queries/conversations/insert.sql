INSERT INTO conversations (organization_id, id, patient_id, identity, exchanges, state, assignee_id, team_id,
    facility_id, category, priority, tags, turn_number, waiting_since, last_message_at, snoozed_until, version,
    number_id, peer_hash, peer, created_at, reopens_to_assignee, staff_set, sort_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
    COALESCE($14, 9223372036854775807))
