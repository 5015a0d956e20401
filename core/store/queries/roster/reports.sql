SELECT first_row, last_row, content FROM roster_reports
WHERE organization_id = $1 AND run_id = $2 AND last_row > $3 ORDER BY last_row LIMIT $4
