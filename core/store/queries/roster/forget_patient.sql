DELETE FROM roster_entries WHERE organization_id = $1 AND patient_id = $2
