INSERT INTO patient_caregivers (organization_id, id, patient_id, caregiver_id, data, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
