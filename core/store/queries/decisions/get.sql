SELECT id, conversation_id, message_id, binding_id, policy_id, hook, outcome, fault, effect, fuel, memory_peak, micros,
    record, created_at, seq, hash FROM decisions WHERE organization_id = $1 AND id = $2
