-- Who else may run the clinic.
SELECT id FROM staff WHERE organization_id = $1 AND role = 'admin' AND active ORDER BY id
