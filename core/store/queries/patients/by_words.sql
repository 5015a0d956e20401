-- Records that have the word $2, and $4, $5 and $6. Counted, not EXISTS: PostgreSQL would read all rows of the
-- frequent word into a table first.
SELECT p.id, p.kind, p.profile, p.state, p.merged_into, p.survivor_id, p.version, p.created_at, p.updated_at
FROM patient_words w JOIN patients p ON p.organization_id = $1 AND p.id = w.patient_id
WHERE w.organization_id = $1 AND w.word_hash = $2 AND w.patient_id > $3
  AND (SELECT COUNT(*) FROM patient_words o
       WHERE o.organization_id = $1 AND o.word_hash = $4 AND o.patient_id = w.patient_id) = 1
  AND (SELECT COUNT(*) FROM patient_words o
       WHERE o.organization_id = $1 AND o.word_hash = $5 AND o.patient_id = w.patient_id) = 1
  AND (SELECT COUNT(*) FROM patient_words o
       WHERE o.organization_id = $1 AND o.word_hash = $6 AND o.patient_id = w.patient_id) = 1
ORDER BY w.patient_id LIMIT $7
