SELECT EXISTS (SELECT 1 FROM number_registrations
    WHERE due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1 OR lease_node = $2))
