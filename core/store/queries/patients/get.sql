SELECT id, kind, profile FROM patients WHERE organization_id = $1 AND id = $2
