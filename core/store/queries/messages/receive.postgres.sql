-- One text for any number of rows, so that it is prepared once.
INSERT INTO messages (organization_id, id, direction, carrier_account_id, number_id, peer_hash, peer, body, extra,
    carrier_message_id, author, state, due_at, created_at)
SELECT organization_id, id, 'inbound', account, number, peer_hash, peer, body, extra, carrier_id, 'patient',
    'received', at, at
FROM UNNEST($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[],
    $9::text[], $10::bigint[])
    AS arrived (organization_id, id, account, number, peer_hash, peer, body, extra, carrier_id, at)
ON CONFLICT (organization_id, carrier_account_id, carrier_message_id) DO NOTHING
