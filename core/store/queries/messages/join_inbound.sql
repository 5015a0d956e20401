-- A piece of a long text that is told by another message now.
UPDATE messages SET state = 'joined', due_at = NULL, lease_node = NULL, finished_at = $3
WHERE organization_id = $1 AND id = $2 AND direction = 'inbound' AND due_at IS NOT NULL AND lease_node IS NULL
