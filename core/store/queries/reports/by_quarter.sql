SELECT quarter, kind, CAST(SUM(happened) AS BIGINT) AS happened FROM report_counts
WHERE organization_id = $1 AND quarter >= $2 AND quarter < $3 AND COALESCE($4, number_id) = number_id
  AND COALESCE($5, facility_id) = facility_id AND COALESCE($6, team_id) = team_id
  AND COALESCE($7, staff_id) = staff_id
GROUP BY quarter, kind
