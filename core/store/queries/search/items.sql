SELECT items FROM search_segments WHERE organization_id = $1 AND segment = $2
