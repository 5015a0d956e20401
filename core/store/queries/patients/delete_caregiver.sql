DELETE FROM patient_caregivers WHERE organization_id = $1 AND id = $2
