SELECT id FROM conversations WHERE organization_id = $1 AND facility_id = $2 LIMIT 1
