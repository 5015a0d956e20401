INSERT INTO report_counts (organization_id, quarter, kind, number_id, facility_id, team_id, staff_id, happened)
