DELETE FROM link_deliveries WHERE created_at < $1
