-- Merges and undos of an organization take turns until they commit: each may follow a whole tree of records, whose
-- locks two of them would take in different orders.
SELECT pg_advisory_xact_lock(hashtextextended(CAST($1 AS UUID)::TEXT, 22))
