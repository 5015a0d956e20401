DELETE FROM roster_runs WHERE organization_id = $1 AND id = $2 AND state = 'receiving'
