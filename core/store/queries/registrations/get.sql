SELECT number_id, source, parts, set_by, checked_at, due_at, failures, failure, closed_code, closed_at, updated_at
FROM number_registrations WHERE organization_id = $1 AND number_id = $2
