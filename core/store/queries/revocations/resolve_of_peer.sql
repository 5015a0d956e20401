-- The patient's opt-out is recorded: what they asked in their own words is done.
UPDATE revocations SET state = 'recorded', resolved_at = $3, resolved_by = $4, remind_at = NULL
WHERE organization_id = $1 AND peer_hash = $2 AND state = 'open'
  AND number_id IN (SELECT id FROM numbers WHERE organization_id = $1 AND (id = $5 OR $5 IS NULL))
