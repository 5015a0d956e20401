-- What a version cost on the sample turns of its upload, so that growth is seen before its first text.
ALTER TABLE policies ADD COLUMN probe JSONB; -- JSON list of policy::Probe; NULL: it was never probed
