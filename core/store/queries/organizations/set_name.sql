UPDATE organizations SET name = $2, settings = $3, version = version + 1 WHERE id = $1 AND version = $4
