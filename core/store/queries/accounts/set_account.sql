UPDATE carrier_accounts SET label = $4, public_url = $5, answers_opt_outs = $6, version = version + 1
WHERE organization_id = $1 AND id = $2 AND version = $3
