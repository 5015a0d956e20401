-- The chain after $2, up to $3.
SELECT id, conversation_id, message_id, binding_id, policy_id, hook, outcome, fault, effect, fuel, memory_peak, micros,
    record, created_at, seq, hash FROM decisions
WHERE organization_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4
