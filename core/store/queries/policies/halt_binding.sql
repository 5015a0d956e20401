UPDATE bindings SET halted_until = $3, halts = halts + 1
WHERE organization_id = $1 AND id = $2 AND retired_at IS NULL AND halts = $4
