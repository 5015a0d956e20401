-- Files that stopped arriving long ago: their sender has gone.
SELECT organization_id, id FROM roster_runs WHERE state = 'receiving' AND created_at < $1 ORDER BY organization_id, id LIMIT 20
