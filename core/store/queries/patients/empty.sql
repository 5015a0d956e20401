UPDATE patients SET state = 'deleted', profile = $3, last_name_hash = NULL, birth_date_hash = NULL, deleted_at = $4,
    updated_at = $4, version = version + 1
WHERE organization_id = $1 AND id = $2
