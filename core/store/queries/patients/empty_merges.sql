UPDATE patient_merges SET data = NULL WHERE organization_id = $1 AND (survivor_id = $2 OR absorbed_id = $2)
