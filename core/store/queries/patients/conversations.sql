SELECT id FROM conversations WHERE organization_id = $1 AND patient_id = $2 ORDER BY id
