INSERT INTO search_blocks (organization_id, bucket, segment, entries)
