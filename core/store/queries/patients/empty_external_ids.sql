UPDATE patient_external_ids SET value = NULL WHERE organization_id = $1 AND patient_id = $2
