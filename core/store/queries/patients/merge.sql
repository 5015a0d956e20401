SELECT id, survivor_id, absorbed_id, data, merged_by, created_at, undone_by, undone_at FROM patient_merges WHERE organization_id = $1 AND id = $2
