SELECT source, kind, value FROM patient_external_ids
WHERE organization_id = $1 AND patient_id = $2 ORDER BY source, kind, value_hash
