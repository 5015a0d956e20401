DELETE FROM drafts WHERE organization_id = $1 AND staff_id = $2 AND conversation_id = $3
