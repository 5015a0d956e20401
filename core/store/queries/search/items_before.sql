-- The same, newest first.
SELECT seq, kind, conversation_id, data FROM events
WHERE organization_id = $1 AND seq > $2 AND seq < $3 AND conversation_id IS NOT NULL
  AND kind IN ('message.received', 'message.queued', 'note.added', 'conversation.opened')
ORDER BY seq DESC LIMIT $4
