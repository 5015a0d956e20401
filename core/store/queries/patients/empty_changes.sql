UPDATE patient_changes SET data = NULL WHERE organization_id = $1 AND patient_id = $2
