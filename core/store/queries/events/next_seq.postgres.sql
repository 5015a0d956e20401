-- As SQLite's, but the row is only locked: the one statement that appends them all writes it (events/count), so
-- that a unit of work leaves one dead row and not two. Foreign keys don't wait for this lock.
SELECT event_seq + $2, decision_seq + $3, decision_hash FROM organizations WHERE id = $1 FOR NO KEY UPDATE
