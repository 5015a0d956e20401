SELECT id, kind, profile FROM patients WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3
