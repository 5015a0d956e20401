DELETE FROM patient_external_ids WHERE organization_id = $1 AND source = $2 AND kind = $3 AND value_hash = $4
