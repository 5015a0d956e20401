UPDATE organizations SET event_seq = event_seq + 1 WHERE id = $1 RETURNING event_seq
