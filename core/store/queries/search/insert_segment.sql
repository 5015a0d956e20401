INSERT INTO search_segments (organization_id, segment, until_seq, items) VALUES ($1, $2, $3, $4)
