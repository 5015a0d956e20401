SELECT organization_id, id FROM patients WHERE NOT indexed LIMIT 100
