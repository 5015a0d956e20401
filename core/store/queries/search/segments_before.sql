SELECT segment FROM search_segments WHERE organization_id = $1 AND segment < $2 ORDER BY segment DESC LIMIT $3
