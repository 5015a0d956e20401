SELECT id, kind, profile, state, merged_into, survivor_id, version, created_at, updated_at FROM patients
WHERE organization_id = $1 AND birth_date_hash = $2 AND kind = 'profile' AND state = 'active'
ORDER BY birth_date_hash, last_name_hash LIMIT 200
