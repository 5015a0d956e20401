INSERT INTO roster_runs (organization_id, id, source_id, origin, file_name, bytes, settings, dry_run, state, phase, total,
    done, created, changed, same, refused, missing, takes, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, 0, $6, $7, 'receiving', 'receiving', 0, 0, 0, 0, 0, 0, 0, 0, $8, $9)
