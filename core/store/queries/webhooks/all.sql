SELECT id, setup, kinds, state, position, failures, failing_since, failure, due_at, told_at, created_by, created_at,
    updated_at, version FROM webhook_endpoints
WHERE organization_id = $1 ORDER BY id
