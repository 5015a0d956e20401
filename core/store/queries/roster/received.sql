UPDATE roster_runs SET state = 'waiting', phase = 'checking', file_hash = $3, bytes = $4
WHERE organization_id = $1 AND id = $2 AND state = 'receiving'
