SELECT peer_hash, number_id FROM opt_outs WHERE organization_id = $1 AND cleared_at IS NULL AND peer_hash IN (
