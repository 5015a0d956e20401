-- The first send says until when, so that each attempt hands the carrier the same links.
UPDATE media SET link_until = COALESCE(link_until, $3) WHERE organization_id = $1 AND message_id = $2
