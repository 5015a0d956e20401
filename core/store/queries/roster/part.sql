SELECT bytes FROM roster_parts WHERE organization_id = $1 AND run_id = $2 AND part = $3
