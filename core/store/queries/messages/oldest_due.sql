SELECT COUNT(*), MIN(created_at) FROM messages WHERE direction = $1 AND due_at IS NOT NULL
