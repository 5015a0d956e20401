-- Records and who they are known as now: the survivor where a record was merged.
SELECT r.id AS asked, p.id, p.kind, p.profile, p.state, p.merged_into, p.survivor_id, p.version, p.created_at,
    p.updated_at
FROM patients AS r JOIN patients AS p ON p.organization_id = $1 AND p.id = COALESCE(r.survivor_id, r.id)
WHERE r.organization_id = $1 AND r.id IN (
