UPDATE staff SET password_hash = $3 WHERE organization_id = $1 AND id = $2
