UPDATE messages SET state = 'received', due_at = $3, attempt = 0, in_lane = TRUE
WHERE organization_id = $1 AND id = $2 AND direction = 'inbound' AND state IN ('dead', 'held')
