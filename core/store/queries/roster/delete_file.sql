DELETE FROM roster_files WHERE organization_id = $1 AND source_id = $2 AND name_hash = $3
