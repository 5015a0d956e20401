INSERT INTO decisions (organization_id, id, conversation_id, message_id, binding_id, policy_id, hook, outcome, fault,
    effect, fuel, memory_peak, micros, record, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
