-- Takes the link, or keeps it: if it is nobody's, one's own, or of a node that isn't heard of any more.
INSERT INTO carrier_links (organization_id, carrier_account_id, node, lease_until, state, since)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (organization_id, carrier_account_id) DO UPDATE SET node = excluded.node,
    lease_until = excluded.lease_until, state = excluded.state,
    since = CASE WHEN carrier_links.node = excluded.node AND carrier_links.state = excluded.state
        THEN carrier_links.since ELSE excluded.since END
WHERE carrier_links.node = excluded.node OR carrier_links.lease_until <= $6
