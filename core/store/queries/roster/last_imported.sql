SELECT id, file_hash FROM roster_runs
WHERE organization_id = $1 AND source_id = $2 AND state = 'done' AND NOT dry_run ORDER BY id DESC LIMIT 1
