 ON CONFLICT (organization_id, opened_at, opened_seq) DO UPDATE SET number_id = excluded.number_id,
    facility_id = excluded.facility_id, team_id = excluded.team_id, waiting_from = excluded.waiting_from,
    first_reply_at = excluded.first_reply_at, first_reply_by = excluded.first_reply_by,
    reply_micros = excluded.reply_micros, reply_open_micros = excluded.reply_open_micros,
    closed_at = excluded.closed_at, closed_by = excluded.closed_by, close_micros = excluded.close_micros,
    close_open_micros = excluded.close_open_micros
