-- Of a backup: texts that wait to be sent may have been, after it was made. One attempt whose end nobody saw
-- makes the outbox look at the carrier's list first.
UPDATE messages SET in_doubt = 1 WHERE direction = 'outbound' AND due_at IS NOT NULL AND in_doubt = 0
