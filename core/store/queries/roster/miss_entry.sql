UPDATE roster_entries SET missing_since = $4
WHERE organization_id = $1 AND source_id = $2 AND key_hash = $3 AND missing_since IS NULL
