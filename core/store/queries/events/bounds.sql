SELECT COALESCE((SELECT MIN(seq) FROM events WHERE organization_id = $1), 0), event_seq
FROM organizations WHERE id = $1
