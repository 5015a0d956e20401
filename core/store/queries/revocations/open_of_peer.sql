SELECT COUNT(*) FROM revocations WHERE organization_id = $1 AND peer_hash = $2 AND state = 'open'
