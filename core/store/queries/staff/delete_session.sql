DELETE FROM sessions WHERE organization_id = $1 AND secret_hash = $2
