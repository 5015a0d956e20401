SELECT wrapped_key FROM organizations WHERE id = $1
