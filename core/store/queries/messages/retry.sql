UPDATE messages SET state = 'queued', due_at = $3, in_doubt = 0, attempt = 0, error_code = NULL, error_text = NULL,
    carrier_message_id = NULL, sent_at = NULL, finished_at = NULL
WHERE organization_id = $1 AND id = $2 AND direction = 'outbound' AND state IN ('failed', 'unknown', 'blocked')
