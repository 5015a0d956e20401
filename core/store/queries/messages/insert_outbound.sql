INSERT INTO messages (organization_id, id, direction, carrier_account_id, number_id, peer_hash, peer, body, extra,
    conversation_id, author, author_id, state, due_at, in_lane, despite_opt_out, segments, created_at)
VALUES ($1, $2, 'outbound', $3, $4, $5, $6, $7, $8, $9, $10, $11, 'queued', $12, TRUE, $13, $14, $15)
