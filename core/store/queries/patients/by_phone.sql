SELECT p.id, p.kind, p.profile FROM patient_phones h
JOIN patients p ON p.organization_id = h.organization_id AND p.id = h.patient_id
WHERE h.organization_id = $1 AND h.phone_hash = $2 AND p.kind = 'profile' ORDER BY p.id LIMIT 10
