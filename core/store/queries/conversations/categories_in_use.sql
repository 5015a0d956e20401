-- As `tags_in_use`.
WITH RECURSIVE used (category) AS (
    SELECT (SELECT MIN(category || '') FROM conversations WHERE organization_id = $1)
    UNION ALL
    SELECT (SELECT MIN(c.category || '') FROM conversations c
            WHERE c.organization_id = $1 AND (c.category || '') > used.category)
    FROM used WHERE used.category IS NOT NULL
)
SELECT category FROM used WHERE category IS NOT NULL LIMIT $2
