UPDATE tokens SET revoked_at = $3 WHERE organization_id = $1 AND staff_id = $2 AND revoked_at IS NULL
