INSERT INTO facilities (organization_id, id, name, time_zone, hours)
VALUES ($1, $2, $3, $4, $5)
