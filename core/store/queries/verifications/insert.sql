INSERT INTO verifications (organization_id, id, state, reason, questions, identity_hash, data, patient_id, decision_id,
    asked_at, ended_at, due_at, label, actual_patient_id, merge_id, labelled_by, labelled_at, conversation_id, number_id,
    peer_hash, began_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
