SELECT id FROM organizations ORDER BY id
