SELECT id, kind, profile FROM patients
WHERE organization_id = $1 AND kind = 'profile'
  AND id IN (SELECT patient_id FROM patient_phones WHERE organization_id = $1 AND phone_hash = $2)
ORDER BY id LIMIT 10
