SELECT key_hash, patient_id, missing_since FROM roster_entries
WHERE organization_id = $1 AND source_id = $2 AND key_hash > $3 ORDER BY key_hash LIMIT $4
