SELECT phone FROM patient_phones WHERE organization_id = $1 AND patient_id = $2
