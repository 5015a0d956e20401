-- Only one writes at a time here: there is nobody to wait for.
SELECT 1 WHERE $1 IS NOT NULL AND $2 IS NOT NULL
