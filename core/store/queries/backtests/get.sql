SELECT id, hook, policy_id, settings_digest, since, until, last_seq, number_id, state, total, done, report_digest, error,
    created_by, created_at, started_at, ended_at FROM backtests WHERE organization_id = $1 AND id = $2
