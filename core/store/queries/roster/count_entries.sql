SELECT COUNT(*) FROM roster_entries WHERE organization_id = $1 AND source_id = $2 AND missing_since IS NULL
