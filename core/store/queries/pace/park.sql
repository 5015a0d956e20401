-- Nothing was handed to the carrier: the attempt doesn't count.
UPDATE messages SET state = 'queued', pace = 'parked', lease_node = NULL, due_at = $4, attempt = attempt - 1,
    in_doubt = in_doubt - 1
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'sending'
