SELECT id, kind, state, survivor_id, version FROM patients WHERE organization_id = $1 AND id IN ($2, $3) ORDER BY id
