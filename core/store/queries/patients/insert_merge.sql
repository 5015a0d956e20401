INSERT INTO patient_merges (organization_id, id, survivor_id, absorbed_id, data, merged_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
