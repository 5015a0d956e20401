SELECT id FROM opt_outs
WHERE organization_id = $1 AND peer_hash = $2 AND cleared_at IS NULL AND (number_id IS NULL OR number_id = $3)
ORDER BY id DESC LIMIT 1
