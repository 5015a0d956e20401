-- How many turns a backtest tries, and the part of the chain they are in.
SELECT COUNT(DISTINCT COALESCE(message_id, id)), COALESCE(MIN(seq), 0), COALESCE(MAX(seq), 0) FROM decisions
WHERE organization_id = $1 AND id >= $2 AND id < $3 AND created_at >= $4 AND created_at < $5 AND seq <= $6 AND hook = $7
  AND effect <> 'shadow'
  AND (EXISTS (
    SELECT 1 FROM messages m
    WHERE m.organization_id = decisions.organization_id AND m.id = decisions.message_id AND m.number_id = $8) OR $8 IS NULL)
