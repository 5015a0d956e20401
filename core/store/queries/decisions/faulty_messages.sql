SELECT COUNT(DISTINCT message_id) FROM decisions
WHERE organization_id = $1 AND binding_id = $2 AND fault IS NOT NULL
