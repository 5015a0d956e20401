UPDATE messages SET lease_node = NULL, state = CASE WHEN state = 'processing' THEN 'received' ELSE state END,
    due_at =