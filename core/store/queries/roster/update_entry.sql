UPDATE roster_entries SET row_hash = $4, said = $5, missing_since = NULL
WHERE organization_id = $1 AND source_id = $2 AND key_hash = $3
