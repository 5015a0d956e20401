SELECT owner FROM patient_phones WHERE organization_id = $1 AND phone_hash = $2
