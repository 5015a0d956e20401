-- Phones that may be those of several people. Every other one stands once, with a patient who was never merged and
-- speaks for nobody else, or nowhere.
SELECT DISTINCT f.phone_hash FROM patient_phones AS f
JOIN patients AS p ON p.organization_id = $1 AND p.id = f.patient_id
WHERE f.organization_id = $1 AND (f.owner = 'shared' OR p.survivor_id IS NOT NULL
    OR EXISTS (SELECT 1 FROM patient_phones AS o
               WHERE o.organization_id = $1 AND o.phone_hash = f.phone_hash AND o.patient_id <> f.patient_id)
    OR EXISTS (SELECT 1 FROM patients AS a WHERE a.organization_id = $1 AND a.survivor_id = p.id)
    OR EXISTS (SELECT 1 FROM patient_caregivers AS g WHERE g.organization_id = $1 AND g.caregiver_id = p.id))
  AND f.phone_hash IN (
