UPDATE roster_sources SET next_look_at = $3
WHERE organization_id = $1 AND id = $2 AND enabled AND next_look_at IS NOT NULL AND next_look_at > $3
