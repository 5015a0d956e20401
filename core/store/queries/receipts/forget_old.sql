DELETE FROM early_receipts WHERE created_at < $1
