UPDATE numbers SET label = $3, texting_enabled = $4, verification = $5, registration = $6, registration_note = $7
WHERE organization_id = $1 AND id = $2
