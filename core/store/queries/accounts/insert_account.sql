INSERT INTO carrier_accounts
    (organization_id, id, carrier, label, public_url, credentials, answers_opt_outs, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
