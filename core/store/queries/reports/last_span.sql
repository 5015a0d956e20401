SELECT opened_at, opened_seq, conversation_id, number_id, facility_id, team_id, waiting_from, first_reply_at,
    first_reply_by, reply_micros, reply_open_micros, closed_at, closed_by, close_micros, close_open_micros
FROM conversation_spans WHERE organization_id = $1 AND conversation_id = $2 ORDER BY opened_seq DESC LIMIT 1
