UPDATE messages SET body = $4, extra = $5, segments = $6
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND direction = 'inbound'
