INSERT INTO roster_files (organization_id, source_id, name_hash, name, size, modified, seen_at, state, run_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (organization_id, source_id, name_hash) DO UPDATE SET size = excluded.size, modified = excluded.modified,
    seen_at = excluded.seen_at, state = excluded.state, run_id = excluded.run_id
