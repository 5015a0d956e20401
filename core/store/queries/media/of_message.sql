SELECT id, message_id, position, direction, carrier_account_id, staff_id, state, reason, source, kind, bytes,
    preview_bytes, width, height, attempt, link_until, created_at, finished_at
FROM media WHERE organization_id = $1 AND message_id = $2 ORDER BY position
