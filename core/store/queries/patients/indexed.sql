UPDATE patients SET indexed = TRUE WHERE organization_id = $1 AND id = $2
