UPDATE organizations SET event_seq = event_seq + $2 WHERE id = $1 RETURNING event_seq
