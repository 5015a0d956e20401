SELECT id, kind, profile FROM patients
WHERE organization_id = $1 AND birth_date_hash = $2 AND kind = 'profile' ORDER BY id LIMIT 200
