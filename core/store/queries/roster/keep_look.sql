UPDATE roster_sources SET look_until = $4 WHERE organization_id = $1 AND id = $2 AND look_node = $3
