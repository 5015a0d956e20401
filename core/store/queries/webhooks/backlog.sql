SELECT w.state AS state, COUNT(*) AS count, CAST(COALESCE(SUM(o.event_seq - w.position), 0) AS BIGINT) AS behind
FROM webhook_endpoints w JOIN organizations o ON o.id = w.organization_id GROUP BY w.state
