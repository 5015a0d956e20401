SELECT c.id, l.message_id AS seen, d.conversation_id IS NOT NULL AS draft,
    (SELECT COUNT(*) FROM (
        SELECT m.direction, m.created_at FROM messages AS m
        WHERE m.organization_id = $1 AND m.conversation_id = c.id AND m.id > COALESCE(l.message_id, $3)
        ORDER BY m.id DESC LIMIT 50) AS newest
     WHERE newest.direction = 'inbound' AND (l.message_id IS NOT NULL OR newest.created_at >= c.waiting_since)) AS unread,
    EXISTS (SELECT 1 FROM mentions AS n
            WHERE n.organization_id = $1 AND n.staff_id = $2 AND n.conversation_id = c.id AND n.read_at IS NULL) AS mentioned
FROM conversations AS c
LEFT JOIN looks AS l ON l.organization_id = $1 AND l.staff_id = $2 AND l.conversation_id = c.id
LEFT JOIN drafts AS d ON d.organization_id = $1 AND d.staff_id = $2 AND d.conversation_id = c.id
WHERE c.organization_id = $1 AND c.id IN (
