INSERT INTO roster_parts (organization_id, run_id, part, bytes) VALUES ($1, $2, $3, $4)
