SELECT o.id FROM organizations AS o LEFT JOIN report_progress AS p ON p.organization_id = o.id
WHERE o.event_seq > COALESCE(p.seq, 0) ORDER BY o.id LIMIT 100
