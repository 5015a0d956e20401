-- What carriers say of a number's registration, links to message centres, deliveries that nobody could take.

ALTER TABLE numbers ADD COLUMN messaging_service TEXT;              -- the carrier's own: MG…, a profile's UUID
ALTER TABLE numbers ADD COLUMN version BIGINT NOT NULL DEFAULT 1;   -- for If-Match
ALTER TABLE carrier_accounts ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
CREATE INDEX carrier_accounts_of_carrier ON carrier_accounts (carrier);

-- None: as numbers.registration says, by hand.
CREATE TABLE number_registrations (
    organization_id BLOB    NOT NULL,
    number_id       BLOB    NOT NULL,
    source          TEXT    NOT NULL,           -- carrier | hand | refusal: who said what numbers.registration is
    parts           BLOB    NOT NULL,           -- sealed JSON: the carrier's own words, part by part
    set_by          BLOB,                       -- by hand: who
    checked_at      BIGINT,                     -- when the carrier was last asked and answered
    due_at          BIGINT,                     -- when it is asked again; NULL: never
    lease_node      BLOB,                       -- who asks now, until when
    lease_until     BIGINT,
    failures        INTEGER NOT NULL,           -- checks that failed in a row
    failure         TEXT,                       -- why the last one did
    closed_code     TEXT,                       -- the refusal of a text that closed it: 30034
    closed_at       BIGINT,
    updated_at      BIGINT  NOT NULL,
    PRIMARY KEY (organization_id, number_id),
    FOREIGN KEY (organization_id, number_id) REFERENCES numbers (organization_id, id)
);
CREATE INDEX number_registrations_due ON number_registrations (due_at) WHERE due_at IS NOT NULL;

-- Of accounts that are links and not webhooks: which node holds it.
CREATE TABLE carrier_links (
    organization_id    BLOB   NOT NULL,
    carrier_account_id BLOB   NOT NULL,
    node               BLOB   NOT NULL,
    lease_until        BIGINT NOT NULL,
    state              TEXT   NOT NULL,         -- up | down
    since              BIGINT NOT NULL,
    PRIMARY KEY (organization_id, carrier_account_id),
    FOREIGN KEY (organization_id, carrier_account_id) REFERENCES carrier_accounts (organization_id, id)
);

-- Genuine, and yet not taken: not understood, or for a number that is not set up.
CREATE TABLE deliveries (
    organization_id    BLOB    NOT NULL,
    id                 BLOB    NOT NULL,
    carrier_account_id BLOB    NOT NULL,
    endpoint           TEXT    NOT NULL,        -- messages | status | link
    state              TEXT    NOT NULL,        -- unparsed | undeliverable | taken
    reason             TEXT    NOT NULL,        -- missing_field, number_unknown, …
    content            BLOB    NOT NULL,        -- sealed JSON: the request as it came
    content_hash       BLOB    NOT NULL,        -- keyed: the same one twice is kept once
    attempts           INTEGER NOT NULL,        -- how often it was retried
    received_at        BIGINT  NOT NULL,
    retried_at         BIGINT,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, carrier_account_id, content_hash),
    FOREIGN KEY (organization_id, carrier_account_id) REFERENCES carrier_accounts (organization_id, id)
);
CREATE INDEX deliveries_of_state ON deliveries (organization_id, state, id);
