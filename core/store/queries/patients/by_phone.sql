-- Whose phone it is, as known now; and for whom these may speak, in whichever of their records.
WITH owners AS (
    SELECT COALESCE(h.survivor_id, h.id) AS id FROM patient_phones f
    JOIN patients h ON h.organization_id = $1 AND h.id = f.patient_id
    WHERE f.organization_id = $1 AND f.phone_hash = $2
), own_owners AS (
    SELECT COALESCE(h.survivor_id, h.id) AS id FROM patient_phones f
    JOIN patients h ON h.organization_id = $1 AND h.id = f.patient_id
    WHERE f.organization_id = $1 AND f.phone_hash = $2 AND f.caregiver_id IS NULL
), speaking AS (
    SELECT id FROM own_owners
    UNION
    SELECT m.id FROM own_owners o JOIN patients m ON m.organization_id = $1 AND m.survivor_id = o.id
), spoken_for AS (
    SELECT COALESCE(c.survivor_id, c.id) AS id FROM speaking s
    JOIN patient_caregivers g ON g.organization_id = $1 AND g.caregiver_id = s.id
    JOIN patients c ON c.organization_id = $1 AND c.id = g.patient_id
)
SELECT id, kind, profile, state, merged_into, survivor_id, version, created_at, updated_at FROM patients
WHERE organization_id = $1 AND kind = 'profile' AND state = 'active'
  AND id IN (SELECT id FROM owners UNION SELECT id FROM spoken_for)
ORDER BY id LIMIT 10
