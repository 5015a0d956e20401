-- A node looks into one folder at a time: what it had leased before is of an earlier life.
UPDATE roster_sources SET look_node = $2, look_until = $3
WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM roster_sources
    WHERE next_look_at <= $1 AND (look_until IS NULL OR look_until <= $1 OR look_node = $2)
    ORDER BY next_look_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING organization_id, id
