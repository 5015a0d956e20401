SELECT form FROM compiled_forms WHERE organization_id = $1 AND label = $2
