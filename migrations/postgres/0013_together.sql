-- People working together: what somebody is writing, who was mentioned where, how far each has read, and how each
-- wants to be told.

CREATE TABLE drafts (
    organization_id UUID   NOT NULL,
    staff_id        UUID   NOT NULL,
    conversation_id UUID   NOT NULL,
    content         BYTEA  NOT NULL,            -- sealed JSON: reply and note
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, staff_id, conversation_id),
    FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id)
);

-- A row for each person that a note names, also as one of a team.
CREATE TABLE mentions (
    organization_id UUID   NOT NULL,
    staff_id        UUID   NOT NULL,            -- who is mentioned
    note_id         UUID   NOT NULL,
    conversation_id UUID   NOT NULL,
    read_at         BIGINT,
    PRIMARY KEY (organization_id, staff_id, note_id),
    FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id),
    FOREIGN KEY (organization_id, note_id) REFERENCES notes (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id)
);
CREATE INDEX mentions_unread ON mentions (organization_id, staff_id, conversation_id) WHERE read_at IS NULL;

-- The newest text that somebody has seen of a conversation.
CREATE TABLE looks (
    organization_id UUID   NOT NULL,
    staff_id        UUID   NOT NULL,
    conversation_id UUID   NOT NULL,
    message_id      UUID   NOT NULL,
    PRIMARY KEY (organization_id, staff_id, conversation_id),
    FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id)
);

CREATE TABLE preferences (
    organization_id UUID   NOT NULL,
    staff_id        UUID   NOT NULL,
    settings        JSONB  NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, staff_id),
    FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id)
);
