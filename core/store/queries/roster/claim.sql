-- Those of a source in their order. A node works on one at a time: what it had leased before is of an earlier life.
UPDATE roster_runs SET state = 'running', lease_node = $2, lease_until = $3, takes = takes + 1,
    started_at = COALESCE(started_at, $1)
WHERE (organization_id, id) IN (
    SELECT r.organization_id, r.id FROM roster_runs AS r
    WHERE (r.state = 'waiting' OR (r.state = 'running' AND (r.lease_until <= $1 OR r.lease_node = $2)))
        AND NOT EXISTS (SELECT 1 FROM roster_runs AS o WHERE o.organization_id = r.organization_id
            AND o.source_id = r.source_id AND o.id < r.id AND o.state IN ('waiting', 'running'))
    ORDER BY r.id LIMIT 1)
RETURNING organization_id, id
