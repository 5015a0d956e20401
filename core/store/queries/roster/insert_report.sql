INSERT INTO roster_reports (organization_id, run_id, first_row, last_row, content) VALUES ($1, $2, $3, $4, $5)
