SELECT id, conversation_id, number_id, state, reason, questions, identity_hash, data, patient_id, decision_id, began_at, asked_at,
    ended_at, due_at, label, actual_patient_id, merge_id, labelled_by, labelled_at FROM verifications
WHERE organization_id = $1 AND ended_at >= $2 AND ended_at < $3 AND label IS NOT NULL ORDER BY id LIMIT $4
