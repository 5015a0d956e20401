INSERT INTO decisions (organization_id, id, conversation_id, message_id, binding_id, policy_id, hook, outcome, fault,
    effect, fuel, memory_peak, micros, record, created_at, seq, hash)
