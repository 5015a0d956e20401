-- Pictures and documents: one row for each that came with a text, or was uploaded to go with one. The bytes are in
-- the object store, sealed. The row is also the queue of what has to be fetched from a carrier.
CREATE TABLE media (
    organization_id    UUID    NOT NULL REFERENCES organizations (id),
    id                 UUID    NOT NULL,
    message_id         UUID,                    -- NULL: uploaded, not sent yet
    position           INTEGER NOT NULL,        -- in the message, from 0
    direction          TEXT    NOT NULL,        -- inbound | outbound
    carrier_account_id UUID,                    -- with whose credentials it is fetched; NULL: it was uploaded
    staff_id           UUID,                    -- who uploaded it
    state              TEXT    NOT NULL,        -- fetching | ready | refused | gone
    reason             TEXT,                    -- why it is refused or gone: a stable word
    source             BYTEA,                    -- sealed JSON: the carrier's link and what it calls the kind
    kind               TEXT,                    -- MIME type, as found in the bytes
    bytes              BIGINT,
    preview_bytes      BIGINT,                  -- NULL: it has no preview
    width              INTEGER,                 -- of the picture, as it is looked at
    height             INTEGER,
    attempt            INTEGER NOT NULL,
    due_at             BIGINT,                  -- when to fetch it, or the end of the lease of who does
    lease_node         UUID,
    link_until         BIGINT,                  -- until when the carrier may fetch it, once it was sent
    fetches            BIGINT  NOT NULL,        -- how often the carrier has
    created_at         BIGINT  NOT NULL,
    finished_at        BIGINT,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, message_id, position)
);
CREATE INDEX media_due ON media (due_at) WHERE due_at IS NOT NULL;
-- Uploads that were never sent are dropped.
CREATE INDEX media_unsent ON media (created_at) WHERE message_id IS NULL;

-- Where the carriers' lists of messages have been read up to, so that what a lost webhook never told is found.
CREATE TABLE reconciliations (
    organization_id    UUID    NOT NULL,
    carrier_account_id UUID    NOT NULL,
    listed_until       BIGINT,                  -- everything before was compared; NULL: nothing yet
    page               BYTEA,                    -- sealed JSON: where to go on, of a look that was not finished
    due_at             BIGINT  NOT NULL,        -- when to look, or the end of the lease of who does
    lease_node         UUID,
    failures           INTEGER NOT NULL,        -- looks that failed in a row
    last_outcome       TEXT,                    -- ok, or what failed: a stable word
    last_at            BIGINT,
    found_messages     BIGINT  NOT NULL,        -- texts taken in that no webhook told of
    found_receipts     BIGINT  NOT NULL,        -- texts of ours that were further than any receipt had said
    PRIMARY KEY (organization_id, carrier_account_id),
    FOREIGN KEY (organization_id, carrier_account_id) REFERENCES carrier_accounts (organization_id, id)
);
CREATE INDEX reconciliations_due ON reconciliations (due_at);
