SELECT id, conversation_id, message_id, binding_id, policy_id, hook, outcome, fault, effect, fuel, memory_peak, micros,
    record, created_at FROM decisions
WHERE organization_id = $1 AND (conversation_id = $2 OR $2 IS NULL) AND id < $3 ORDER BY id DESC LIMIT $4
