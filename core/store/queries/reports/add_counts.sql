 ON CONFLICT (organization_id, quarter, kind, number_id, facility_id, team_id, staff_id)
DO UPDATE SET happened = report_counts.happened + excluded.happened
