-- Newest first. $2 and $3 bound the ids, which begin with the time; $4 is the page.
SELECT id, conversation_id, message_id, binding_id, policy_id, hook, outcome, fault, effect, fuel, memory_peak, micros,
    record, created_at, seq, hash FROM decisions
WHERE organization_id = $1 AND id >= $2 AND id < $3 AND (hook = $5 OR $5 IS NULL) AND (outcome = $6 OR $6 IS NULL)
  AND (fault = $7 OR $7 IS NULL OR ($7 = 'any' AND fault IS NOT NULL)) AND (effect = $8 OR $8 IS NULL)
  AND created_at >= $9 AND created_at < $10
  AND (policy_id = $11 OR $11 IS NULL)
ORDER BY id DESC LIMIT $4
