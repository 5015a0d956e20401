UPDATE carrier_accounts SET credentials = $3, version = version + 1 WHERE organization_id = $1 AND id = $2
