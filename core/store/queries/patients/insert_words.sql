INSERT INTO patient_words (organization_id, word_hash, patient_id)
