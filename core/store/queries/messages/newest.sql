-- Of each conversation one text: the newest by a person among its newest, or else the newest.
SELECT m.id, m.direction, m.carrier_account_id, m.number_id, m.peer, m.body, m.extra, m.carrier_message_id,
    m.conversation_id, m.author, m.author_id, m.state, m.attempt, m.segments, m.error_code, m.error_text, m.created_at,
    m.sent_at, m.finished_at
FROM conversations AS c
JOIN messages AS m ON m.organization_id = $1 AND m.id = (
    SELECT n.id FROM (
        SELECT l.id, l.author FROM messages AS l
        WHERE l.organization_id = $1 AND l.conversation_id = c.id
        ORDER BY l.id DESC LIMIT $2) AS n
    ORDER BY CASE WHEN n.author IN ('patient', 'staff') THEN 0 ELSE 1 END, n.id DESC LIMIT 1)
WHERE c.organization_id = $1 AND c.id IN (
