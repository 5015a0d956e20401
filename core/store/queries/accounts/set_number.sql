UPDATE numbers SET label = $3, texting_enabled = $4, verification = $5, registration = $6, registration_note = $7,
    facility_id = $8, messaging_service = $9, version = version + 1
WHERE organization_id = $1 AND id = $2
