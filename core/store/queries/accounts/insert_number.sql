INSERT INTO numbers (organization_id, id, carrier_account_id, facility_id, address_hash, address, kind, label,
    texting_enabled, verification, registration, registration_note)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
