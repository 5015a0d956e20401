SELECT bytes FROM components WHERE organization_id = $1 AND digest = $2
