-- Numbers with texts beyond their pace.
SELECT DISTINCT organization_id, number_id FROM messages WHERE pace = 'parked'
