INSERT INTO patient_changes (organization_id, patient_id, id, kind, actor, actor_id, data, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
