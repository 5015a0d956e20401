-- What waits in a lane, the oldest first: pieces of a long text among it.
SELECT id, body, extra FROM messages
WHERE organization_id = $1 AND number_id = $2 AND peer_hash = $3 AND direction = 'inbound' AND in_lane
  AND due_at IS NOT NULL AND id > $4
ORDER BY id LIMIT 300
