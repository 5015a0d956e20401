DELETE FROM patient_words WHERE organization_id = $1 AND word_hash = $2 AND patient_id = $3
