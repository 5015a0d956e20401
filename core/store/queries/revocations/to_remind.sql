SELECT organization_id, message_id FROM revocations WHERE remind_at <= $1 ORDER BY remind_at LIMIT 200
