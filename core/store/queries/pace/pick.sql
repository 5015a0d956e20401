UPDATE messages SET pace = 'picked', due_at = $3
WHERE organization_id = $1 AND id = $2 AND pace = 'parked' AND lease_node IS NULL
