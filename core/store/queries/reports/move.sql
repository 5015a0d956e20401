-- Nothing, where another node has moved it since.
INSERT INTO report_progress (organization_id, seq) VALUES ($1, $3)
ON CONFLICT (organization_id) DO UPDATE SET seq = excluded.seq WHERE report_progress.seq = $2
