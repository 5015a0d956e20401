UPDATE verifications SET state = $3, reason = $4, questions = $5, identity_hash = $6, data = $7, patient_id = $8,
    decision_id = $9, asked_at = $10, ended_at = $11, due_at = $12, label = $13, actual_patient_id = $14,
    merge_id = $15, labelled_by = $16, labelled_at = $17
WHERE organization_id = $1 AND id = $2
