SELECT EXISTS (SELECT 1 FROM reconciliations WHERE due_at <= $1)
