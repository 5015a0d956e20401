SELECT organization_id, id FROM verifications WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT 100
