-- The key is not read where nobody asks for it: it is a third of what is read.
SELECT opened_at, waiting_from IS NOT NULL AS waited, closed_at IS NOT NULL AS closed,
    CASE $7 WHEN 'number' THEN number_id WHEN 'facility' THEN facility_id WHEN 'team' THEN team_id END AS key,
    CASE WHEN $7 = 'staff' THEN first_reply_by END AS replied_by, CASE WHEN $7 = 'staff' THEN closed_by END AS closed_by,
    reply_micros, reply_open_micros, close_micros, close_open_micros
FROM conversation_spans
WHERE organization_id = $1 AND opened_at >= $2 AND opened_at < $3 AND COALESCE($4, number_id) = number_id
  AND COALESCE($5, facility_id) = facility_id AND COALESCE($6, team_id) = team_id
