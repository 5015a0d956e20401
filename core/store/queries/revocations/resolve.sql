UPDATE revocations SET state = $3, resolved_at = $4, resolved_by = $5, remind_at = NULL
WHERE organization_id = $1 AND message_id = $2 AND state = 'open'
