UPDATE patient_merges SET undone_by = $3, undone_at = $4 WHERE organization_id = $1 AND id = $2 AND undone_at IS NULL
