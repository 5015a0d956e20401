SELECT settings FROM preferences WHERE organization_id = $1 AND staff_id = $2
