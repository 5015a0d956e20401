SELECT id, name, settings, version FROM organizations WHERE id = $1
