-- What reports are made of: figures drawn from `events` in the order of their sequence, and how far that has come.
-- No patient's data: ids, moments and counts. All of it can be thrown away and drawn again (docs/reports.md).

-- The last event that the figures hold; moved in the transaction that writes them.
CREATE TABLE report_progress (
    organization_id BLOB   NOT NULL PRIMARY KEY,
    seq             BIGINT NOT NULL
);

-- One row for each time a conversation was open. An id of zeros: none.
CREATE TABLE conversation_spans (
    organization_id   BLOB   NOT NULL,
    opened_at         BIGINT NOT NULL,
    opened_seq        BIGINT NOT NULL,        -- the event that opened it
    conversation_id   BLOB   NOT NULL,
    number_id         BLOB   NOT NULL,
    facility_id       BLOB   NOT NULL,
    team_id           BLOB   NOT NULL,        -- the last one it was with
    waiting_from      BIGINT,                 -- when the patient's first text in it arrived
    first_reply_at    BIGINT,                 -- a person's, after that
    first_reply_by    BLOB,
    reply_micros      BIGINT,                 -- from the text to the reply
    reply_open_micros BIGINT,                 -- of these, within opening hours
    closed_at         BIGINT,
    closed_by         BLOB,
    close_micros      BIGINT,                 -- from opening to closing
    close_open_micros BIGINT,
    PRIMARY KEY (organization_id, opened_at, opened_seq)
) WITHOUT ROWID;
CREATE INDEX conversation_spans_of ON conversation_spans (organization_id, conversation_id, opened_seq);

-- What happened, counted by quarter of an hour: every zone's days and hours begin with one.
CREATE TABLE report_counts (
    organization_id BLOB   NOT NULL,
    quarter         BIGINT NOT NULL,          -- its beginning
    kind            TEXT   NOT NULL,
    number_id       BLOB   NOT NULL,
    facility_id     BLOB   NOT NULL,
    team_id         BLOB   NOT NULL,
    staff_id        BLOB   NOT NULL,
    happened        BIGINT NOT NULL,
    PRIMARY KEY (organization_id, quarter, kind, number_id, facility_id, team_id, staff_id)
) WITHOUT ROWID;
