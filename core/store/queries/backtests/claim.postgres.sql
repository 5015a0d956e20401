-- One that waits, or whose node hasn't been heard of since its lease ended: it begins again.
UPDATE backtests SET state = 'running', lease_node = $2, lease_until = $3, started_at = $1, total = 0, done = 0
WHERE (organization_id, id) IN (
    SELECT organization_id, id FROM backtests
    WHERE state = 'waiting' OR (state = 'running' AND lease_until <= $1) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING organization_id, id
