-- Of one node, or of all ($3 NULL). A text that was being sent is looked up at the carrier a little later: it
-- may still be on its way there.
UPDATE messages SET lease_node = NULL,
    state = CASE WHEN state = 'processing' THEN 'received' ELSE state END,
    due_at = CASE WHEN state = 'processing' THEN CAST($1 AS BIGINT) ELSE CAST($2 AS BIGINT) END
WHERE due_at IS NOT NULL AND lease_node IS NOT NULL AND (lease_node = $3 OR $3 IS NULL)
