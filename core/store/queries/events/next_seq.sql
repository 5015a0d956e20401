-- The counters after these events ($2) and decisions ($3), and the hash that the next decision follows on.
UPDATE organizations SET event_seq = event_seq + $2, decision_seq = decision_seq + $3 WHERE id = $1
RETURNING event_seq, decision_seq, decision_hash
