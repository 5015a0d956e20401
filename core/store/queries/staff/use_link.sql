DELETE FROM staff_links
WHERE organization_id = $1 AND staff_id = $2 AND secret_hash = $3 AND expires_at > $4
