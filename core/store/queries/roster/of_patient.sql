SELECT e.source_id, s.name AS source, e.missing_since FROM roster_entries AS e
JOIN roster_sources AS s ON s.organization_id = e.organization_id AND s.id = e.source_id
WHERE e.organization_id = $1 AND e.patient_id = $2 ORDER BY s.name
