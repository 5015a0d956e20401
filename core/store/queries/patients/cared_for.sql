SELECT DISTINCT patient_id FROM patient_caregivers WHERE organization_id = $1 AND caregiver_id = $2
