INSERT INTO patient_phones (organization_id, phone_hash, patient_id, phone, kind, owner, preferred, source, caregiver_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (organization_id, phone_hash, patient_id) DO UPDATE SET phone = excluded.phone, kind = excluded.kind,
    owner = excluded.owner, preferred = excluded.preferred, source = excluded.source, caregiver_id = excluded.caregiver_id
