INSERT INTO audit (organization_id, id, actor, actor_id, action, subject, request_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
