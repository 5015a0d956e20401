UPDATE bindings SET halted_until = NULL, halts = 0
WHERE organization_id = $1 AND id = $2 AND halts > 0
