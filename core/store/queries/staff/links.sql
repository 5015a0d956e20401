SELECT staff_id, invites, expires_at FROM staff_links WHERE organization_id = $1
