SELECT patient_id FROM patient_external_ids
WHERE organization_id = $1 AND kind = 'mrn' AND value_hash = $2 LIMIT 10
