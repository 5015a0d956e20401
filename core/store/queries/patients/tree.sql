SELECT id, merged_into FROM patients WHERE organization_id = $1 AND survivor_id = $2
