SELECT id, name, settings, secrets, enabled, next_look_at, last_look_at, last_look, failures, created_at, updated_at, version
FROM roster_sources WHERE organization_id = $1 ORDER BY name
