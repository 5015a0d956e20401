-- As decisions/window, in the order of the chain, after $2 and up to $3: a part of it, so that every plan reads little.
SELECT id, conversation_id, message_id, binding_id, policy_id, hook, outcome, fault, effect, fuel, memory_peak, micros,
    record, created_at, seq, hash FROM decisions
WHERE organization_id = $1 AND seq > $2 AND seq <= $3 AND created_at >= $4 AND created_at < $5 AND hook = $6
  AND effect <> 'shadow'
  AND (EXISTS (
    SELECT 1 FROM messages m
    WHERE m.organization_id = decisions.organization_id AND m.id = decisions.message_id AND m.number_id = $7) OR $7 IS NULL)
ORDER BY seq
