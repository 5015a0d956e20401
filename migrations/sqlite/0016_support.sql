-- Questions to whoever runs Anteroom, asked from the Help Center, and what was answered.
CREATE TABLE support_tickets (
    organization_id BLOB   NOT NULL,
    id              BLOB   NOT NULL,
    author_id       BLOB   NOT NULL,
    content         BLOB   NOT NULL,            -- sealed JSON: subject, and the context that the person agreed to send
    state           TEXT   NOT NULL,            -- open | answered | closed
    answered_at     BIGINT,                     -- the last answer
    seen_at         BIGINT,                     -- when the author looked last
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, author_id) REFERENCES staff (organization_id, id)
);
CREATE INDEX support_tickets_of_author ON support_tickets (organization_id, author_id, id);

-- `mail_due_at` is set while there is a mail to be sent: the moment to try, which is the end of the lease while a node
-- does.
CREATE TABLE support_messages (
    organization_id BLOB    NOT NULL,
    id              BLOB    NOT NULL,
    ticket_id       BLOB    NOT NULL,
    author_id       BLOB,                       -- NULL: the operator, from a terminal
    body            BLOB    NOT NULL,           -- sealed
    mail            TEXT    NOT NULL,           -- none | waiting | mailed | failed
    mail_due_at     BIGINT,
    mail_attempts   INTEGER NOT NULL,
    mail_problem    TEXT,                       -- what failed last: a stable word
    created_at      BIGINT  NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, ticket_id) REFERENCES support_tickets (organization_id, id)
);
CREATE INDEX support_messages_of_ticket ON support_messages (organization_id, ticket_id, id);
CREATE INDEX support_mails_due ON support_messages (mail_due_at) WHERE mail_due_at IS NOT NULL;
