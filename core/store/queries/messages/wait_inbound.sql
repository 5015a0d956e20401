-- The rest of a long text is on its way: this is no failed attempt.
UPDATE messages SET state = 'received', due_at = $4, lease_node = NULL, attempt = attempt - 1
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'processing'
