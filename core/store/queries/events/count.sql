UPDATE organizations SET event_seq = $2, decision_seq = $3, decision_hash = $4 WHERE id = $1
