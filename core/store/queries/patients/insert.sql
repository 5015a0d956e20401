INSERT INTO patients (organization_id, id, kind, profile, label_hash, last_name_hash, birth_date_hash,
    created_at, updated_at, indexed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, TRUE)
