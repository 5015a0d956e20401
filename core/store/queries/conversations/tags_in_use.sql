-- Each tag by one look into the index, however many conversations have it.
WITH RECURSIVE used (tag) AS (
    SELECT (SELECT MIN(tag) FROM conversation_tags WHERE organization_id = $1)
    UNION ALL
    SELECT (SELECT MIN(t.tag) FROM conversation_tags t WHERE t.organization_id = $1 AND t.tag > used.tag)
    FROM used WHERE used.tag IS NOT NULL
)
SELECT tag FROM used WHERE tag IS NOT NULL LIMIT $2
