SELECT staff_id, invites, expires_at FROM staff_links
WHERE organization_id = $1 AND staff_id = $2 AND secret_hash = $3 AND expires_at > $4
