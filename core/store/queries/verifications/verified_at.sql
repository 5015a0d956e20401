SELECT MAX(ended_at) FROM verifications
WHERE organization_id = $1 AND conversation_id = $2 AND state IN ('matched', 'staff')
