-- Only from where the node believes it to be: what it works on from an outdated picture is taken back.
UPDATE roster_runs SET done = $5, phase = $6, created = created + $7, changed = changed + $8, same = same + $9,
    refused = refused + $10, missing = missing + $11, lease_until = $12
WHERE organization_id = $1 AND id = $2 AND lease_node = $3 AND state = 'running' AND done = $4
