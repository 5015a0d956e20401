UPDATE patients SET state = 'merged', merged_into = $3, survivor_id = $3, version = version + 1
WHERE organization_id = $1 AND id = $2
