UPDATE verification_locks SET until = $3 WHERE organization_id = $1 AND conversation_id = $2 AND until > $3
