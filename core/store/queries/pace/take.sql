-- The generic cell rate algorithm: a text may go at $3 if the number is free at $5, a little later, so that a few may
-- go at once after a pause; each puts it off by $4. No row is affected where it isn't free.
INSERT INTO number_pace (organization_id, number_id, free_at) VALUES ($1, $2, CAST($3 AS BIGINT) + CAST($4 AS BIGINT))
ON CONFLICT (organization_id, number_id) DO UPDATE
SET free_at = CASE WHEN number_pace.free_at > $3 THEN number_pace.free_at ELSE CAST($3 AS BIGINT) END + CAST($4 AS BIGINT)
WHERE number_pace.free_at <= $5
