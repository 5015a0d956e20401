SELECT id, kind, profile FROM patients
WHERE organization_id = $1 AND birth_date_hash = $2 AND kind = 'profile' ORDER BY birth_date_hash, last_name_hash LIMIT 200
