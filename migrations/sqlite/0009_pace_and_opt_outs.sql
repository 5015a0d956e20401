-- How fast each number may send, and when it may send next.
CREATE TABLE number_pace (
    organization_id BLOB    NOT NULL,
    number_id       BLOB    NOT NULL,
    per_minute      INTEGER,                    -- NULL: as its kind; 0: as fast as the carrier takes it
    free_at         BIGINT  NOT NULL,           -- the next text may go then (generic cell rate)
    PRIMARY KEY (organization_id, number_id),
    FOREIGN KEY (organization_id, number_id) REFERENCES numbers (organization_id, id)
);

-- A text beyond its number's pace is parked until the pacer picks it: NULL, `parked`, or `picked`.
ALTER TABLE messages ADD COLUMN pace TEXT;
CREATE INDEX messages_parked ON messages (organization_id, number_id, id) WHERE pace = 'parked';

-- Texts to be sent later: staff's, and automatic replies that quiet hours put off. One that is due becomes a
-- message then, so that it stands in its thread where it was sent.
CREATE TABLE scheduled_texts (
    organization_id BLOB    NOT NULL,
    id              BLOB    NOT NULL,
    conversation_id BLOB    NOT NULL,
    body            BLOB    NOT NULL,           -- sealed
    extra           BLOB,                       -- sealed JSON: throttle key
    author          TEXT    NOT NULL,
    author_id       BLOB,
    send_at         BIGINT  NOT NULL,
    state           TEXT    NOT NULL,           -- waiting | sent | canceled
    message_id      BLOB,                       -- what it became
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    version         BIGINT  NOT NULL,           -- for If-Match
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id)
);
CREATE INDEX scheduled_due ON scheduled_texts (send_at) WHERE state = 'waiting';
CREATE INDEX scheduled_of_conversation ON scheduled_texts (organization_id, conversation_id, id);

-- What shows that a revocation was honoured in time.
ALTER TABLE opt_outs ADD COLUMN asked_at BIGINT;        -- when the patient asked; NULL: when it was recorded
ALTER TABLE opt_outs ADD COLUMN via TEXT;               -- text | phone | email | letter | in_person | list | other
ALTER TABLE opt_outs ADD COLUMN note BLOB;              -- sealed
ALTER TABLE opt_outs ADD COLUMN recorded_by BLOB;       -- staff; NULL: nobody of staff
ALTER TABLE opt_outs ADD COLUMN cleared_by BLOB;
ALTER TABLE opt_outs ADD COLUMN clear_note BLOB;        -- sealed

-- Texts that read like a revocation in the patient's own words, until somebody has looked.
CREATE TABLE revocations (
    organization_id BLOB    NOT NULL,
    message_id      BLOB    NOT NULL,           -- the text that asks
    conversation_id BLOB    NOT NULL,
    peer_hash       BLOB    NOT NULL,
    number_id       BLOB    NOT NULL,
    asked_at        BIGINT  NOT NULL,
    due_at          BIGINT  NOT NULL,           -- ten business days later
    remind_at       BIGINT,                     -- when admins are told; NULL: they were, or somebody has looked
    state           TEXT    NOT NULL,           -- open | recorded | dismissed
    resolved_at     BIGINT,
    resolved_by     BLOB,
    PRIMARY KEY (organization_id, message_id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id)
);
CREATE INDEX revocations_open ON revocations (organization_id, due_at, message_id) WHERE state = 'open';
CREATE INDEX revocations_of_peer ON revocations (organization_id, peer_hash) WHERE state = 'open';
CREATE INDEX revocations_to_remind ON revocations (remind_at) WHERE remind_at IS NOT NULL;
