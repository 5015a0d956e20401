-- A receipt and the answer to the send that it is about take turns until they commit: whoever comes second sees what
-- the first has written.
SELECT pg_advisory_xact_lock(hashtextextended(CAST($1 AS UUID)::TEXT || ' ' || CAST($2 AS TEXT), 23))
