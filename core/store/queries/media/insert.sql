INSERT INTO media (organization_id, id, message_id, position, direction, carrier_account_id, state, source, attempt,
    due_at, fetches, created_at)
VALUES ($1, $2, $3, $4, 'inbound', $5, 'fetching', $6, 0, $7, 0, $7)
ON CONFLICT (organization_id, message_id, position) DO NOTHING
