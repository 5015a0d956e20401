-- $3: JSON list of hexadecimal key hashes.
SELECT key_hash, patient_id, row_hash, said, missing_since FROM roster_entries
WHERE organization_id = $1 AND source_id = $2
    AND key_hash = ANY (ARRAY(SELECT decode(value, 'hex') FROM jsonb_array_elements_text(CAST($3 AS TEXT)::jsonb) AS value))
