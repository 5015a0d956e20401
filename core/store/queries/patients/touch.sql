UPDATE patients SET version = version + 1 WHERE organization_id = $1 AND id = $2
