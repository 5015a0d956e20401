SELECT state, reason, label, questions, COUNT(*) AS count FROM verifications
WHERE organization_id = $1 AND ended_at >= $2 AND ended_at < $3 GROUP BY state, reason, label, questions
