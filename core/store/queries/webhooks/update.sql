-- What was failing begins anew: an administrator has seen to it.
UPDATE webhook_endpoints SET setup = $4, kinds = $5, state = $6, position = $7, failures = 0, failing_since = NULL,
    failure = NULL, due_at = NULL, updated_at = $8, version = version + 1
WHERE organization_id = $1 AND id = $2 AND version = $3
