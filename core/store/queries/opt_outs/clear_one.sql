UPDATE opt_outs SET cleared_at = $3, cleared_by = $4, clear_note = $5
WHERE organization_id = $1 AND id = $2 AND cleared_at IS NULL
