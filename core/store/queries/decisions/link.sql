SELECT hash FROM decisions WHERE organization_id = $1 AND seq = $2
