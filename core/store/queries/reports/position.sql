SELECT COALESCE((SELECT seq FROM report_progress WHERE organization_id = $1), 0), event_seq
FROM organizations WHERE id = $1
