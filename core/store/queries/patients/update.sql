UPDATE patients SET profile = $3, label_hash = COALESCE($4, label_hash), last_name_hash = $5, birth_date_hash = $6,
    updated_at = $7, version = version + 1
WHERE organization_id = $1 AND id = $2 AND version = $8 AND state <> 'deleted'
