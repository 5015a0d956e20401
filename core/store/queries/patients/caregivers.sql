SELECT id, caregiver_id, data FROM patient_caregivers WHERE organization_id = $1 AND patient_id = $2 ORDER BY id
