DELETE FROM staff_links WHERE organization_id = $1 AND staff_id = $2
