SELECT id, survivor_id, absorbed_id, data, merged_by, created_at, undone_by, undone_at FROM patient_merges WHERE organization_id = $1 AND survivor_id = $2
UNION ALL
SELECT id, survivor_id, absorbed_id, data, merged_by, created_at, undone_by, undone_at FROM patient_merges WHERE organization_id = $1 AND absorbed_id = $2
ORDER BY id
