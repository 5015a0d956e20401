UPDATE opt_outs SET cleared_at = $4
WHERE organization_id = $1 AND peer_hash = $2 AND cleared_at IS NULL AND (number_id IS NULL OR number_id = $3)
