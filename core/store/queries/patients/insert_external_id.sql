INSERT INTO patient_external_ids (organization_id, source, kind, value_hash, patient_id, value, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
