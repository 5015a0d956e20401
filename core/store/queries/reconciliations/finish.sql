UPDATE reconciliations SET listed_until = COALESCE($4, listed_until), page = CASE WHEN $5 THEN page END, due_at = $6,
    lease_node = NULL, failures = CASE WHEN $7 = 'ok' THEN 0 ELSE failures + 1 END, last_outcome = $7, last_at = $8
WHERE organization_id = $1 AND carrier_account_id = $2 AND lease_node = $3
