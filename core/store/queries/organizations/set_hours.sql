UPDATE facilities SET time_zone = $3, hours = $4 WHERE organization_id = $1 AND id = $2
