SELECT segment, entries FROM search_blocks
WHERE organization_id = $1 AND bucket = $2 AND segment >= $3 AND segment <= $4
