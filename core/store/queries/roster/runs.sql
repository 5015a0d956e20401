SELECT id, source_id, origin, file_name, file_hash, bytes, settings, dry_run, state, phase, total, done, created, changed, same,
    refused, missing, problem, takes, created_by, created_at, started_at, ended_at
FROM roster_runs WHERE organization_id = $1 AND source_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4
