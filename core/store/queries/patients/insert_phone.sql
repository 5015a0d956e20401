INSERT INTO patient_phones (organization_id, phone_hash, patient_id, phone) VALUES ($1, $2, $3, $4)
ON CONFLICT (organization_id, phone_hash, patient_id) DO NOTHING
