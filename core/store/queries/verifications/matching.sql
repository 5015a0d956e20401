SELECT COUNT(*) FROM verifications WHERE due_at IS NOT NULL AND state = 'matching'
