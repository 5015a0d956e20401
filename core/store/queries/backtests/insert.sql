INSERT INTO backtests (organization_id, id, hook, policy_id, settings_digest, since, until, last_seq, number_id, state,
    total, done, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', 0, 0, $10, $11)
