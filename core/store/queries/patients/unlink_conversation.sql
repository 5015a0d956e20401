UPDATE conversations SET patient_id = $3, identity = 'placeholder', exchanges = NULL, version = version + 1
WHERE organization_id = $1 AND id = $2
