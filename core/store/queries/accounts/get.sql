SELECT id, carrier, label, public_url, credentials, answers_opt_outs, version
FROM carrier_accounts WHERE organization_id = $1 AND id = $2
