INSERT INTO media (organization_id, id, position, direction, staff_id, state, kind, bytes, preview_bytes, width, height,
    attempt, fetches, created_at, finished_at)
VALUES ($1, $2, 0, 'outbound', $3, 'ready', $4, $5, $6, $7, $8, 0, 0, $9, $9)
