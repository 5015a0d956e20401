DELETE FROM sessions WHERE organization_id = $1 AND expires_at <= $2
