SELECT phone, kind, owner, preferred, source, caregiver_id FROM patient_phones
WHERE organization_id = $1 AND patient_id = $2 ORDER BY preferred DESC, phone_hash
