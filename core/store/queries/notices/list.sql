SELECT id, kind, data, created_at, dismissed_at, dismissed_by FROM notices
WHERE organization_id = $1 AND id < $2 AND (dismissed_at IS NULL OR $3) ORDER BY id DESC LIMIT $4
