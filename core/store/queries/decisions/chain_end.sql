-- The end as the organization's row keeps it, the last row there is, and how many are from before the chain.
SELECT decision_seq, decision_hash,
    COALESCE((SELECT MAX(seq) FROM decisions WHERE organization_id = $1), 0),
    (SELECT COUNT(*) FROM decisions WHERE organization_id = $1 AND seq IS NULL)
FROM organizations WHERE id = $1
