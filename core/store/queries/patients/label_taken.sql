SELECT COUNT(*) FROM patients WHERE organization_id = $1 AND label_hash = $2
