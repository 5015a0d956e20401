SELECT id, name, settings FROM organizations WHERE id = $1
