-- As SQLite's, locked in the order of the ids, so that no two wait for each other.
SELECT id, kind, state, survivor_id, version FROM patients WHERE organization_id = $1 AND id IN ($2, $3) ORDER BY id
FOR NO KEY UPDATE
