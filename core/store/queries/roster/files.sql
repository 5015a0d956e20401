SELECT name_hash, name, size, modified, seen_at, state, run_id FROM roster_files WHERE organization_id = $1 AND source_id = $2
