SELECT id, peer, number_id, source, created_at, cleared_at FROM opt_outs
WHERE organization_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
