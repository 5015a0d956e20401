UPDATE policy_uploads SET step = $3 WHERE organization_id = $1 AND id = $2 AND state = 'checking'
