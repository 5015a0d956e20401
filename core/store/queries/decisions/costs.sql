SELECT fuel, memory_peak, micros, outcome, fault FROM decisions
WHERE organization_id = $1 AND policy_id = $2 AND hook = $3 AND id >= $4
ORDER BY id DESC LIMIT $5
