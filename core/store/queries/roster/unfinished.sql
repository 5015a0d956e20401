SELECT id, file_hash, dry_run FROM roster_runs
WHERE organization_id = $1 AND source_id = $2 AND state IN ('waiting', 'running') ORDER BY id
