INSERT INTO roster_entries (organization_id, source_id, key_hash, patient_id, row_hash, said) VALUES ($1, $2, $3, $4, $5, $6)
