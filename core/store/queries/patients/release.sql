UPDATE patients SET state = 'active', merged_into = NULL, survivor_id = NULL, version = version + 1
WHERE organization_id = $1 AND id = $2
