-- As SQLite's, but of two who take the role from each other at once, the second waits and finds nobody else.
SELECT id FROM staff WHERE organization_id = $1 AND role = 'admin' AND active ORDER BY id FOR NO KEY UPDATE
