-- What was merged into the absorbed record leads to its survivor.
UPDATE patients SET survivor_id = $3 WHERE organization_id = $1 AND survivor_id = $2
