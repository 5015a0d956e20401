UPDATE bindings SET retired_at = $3 WHERE organization_id = $1 AND id = $2 AND retired_at IS NULL
