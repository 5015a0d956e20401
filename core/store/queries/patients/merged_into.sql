SELECT id FROM patients WHERE organization_id = $1 AND survivor_id = $2 ORDER BY id
