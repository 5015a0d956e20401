SELECT until_seq FROM search_segments WHERE organization_id = $1 ORDER BY segment DESC LIMIT 1
