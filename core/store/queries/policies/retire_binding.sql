UPDATE bindings SET retired_at = $3, retired_because = $4, retired_by = $5
WHERE organization_id = $1 AND id = $2 AND retired_at IS NULL
