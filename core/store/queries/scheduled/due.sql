SELECT organization_id, id FROM scheduled_texts WHERE state = 'waiting' AND send_at <= $1 ORDER BY send_at LIMIT 500
