SELECT settings FROM policy_settings WHERE organization_id = $1 AND digest = $2
