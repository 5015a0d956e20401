SELECT id, kind, actor, actor_id, data, created_at FROM patient_changes
WHERE organization_id = $1 AND patient_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4
