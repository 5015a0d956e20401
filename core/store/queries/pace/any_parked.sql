SELECT EXISTS (SELECT 1 FROM messages WHERE organization_id = $1 AND number_id = $2 AND pace = 'parked')
