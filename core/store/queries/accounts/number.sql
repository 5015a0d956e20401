SELECT id, carrier_account_id, facility_id, address, kind, label, texting_enabled, verification,
    registration, registration_note, messaging_service, version
FROM numbers WHERE organization_id = $1 AND id = $2
