SELECT COUNT(*) FROM (SELECT 1 FROM patient_words WHERE organization_id = $1 AND word_hash = $2 LIMIT $3) AS counted
