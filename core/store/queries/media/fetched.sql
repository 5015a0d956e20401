UPDATE media SET fetches = fetches + 1 WHERE organization_id = $1 AND id = $2
