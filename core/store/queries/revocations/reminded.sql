UPDATE revocations SET remind_at = NULL
WHERE organization_id = $1 AND message_id = $2 AND state = 'open' AND remind_at <= $3
