INSERT INTO opt_outs (organization_id, id, peer_hash, peer, number_id, source, created_at, asked_at, via, note, recorded_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
