DELETE FROM views WHERE organization_id = $1 AND id = $2
