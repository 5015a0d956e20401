SELECT EXISTS (SELECT 1 FROM support_messages WHERE mail_due_at <= $1)
