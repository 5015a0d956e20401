-- What an earlier life of this node had leased is due.
UPDATE media SET due_at = $1, lease_node = NULL WHERE due_at > $1 AND lease_node = $2
