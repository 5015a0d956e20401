SELECT EXISTS (SELECT 1 FROM roster_sources
    WHERE next_look_at <= $1 AND (look_until IS NULL OR look_until <= $1 OR look_node = $2))
