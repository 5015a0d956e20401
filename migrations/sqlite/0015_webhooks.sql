-- Programs that are told what happens (docs/webhooks.md), and what came of each try.
CREATE TABLE webhook_endpoints (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    id              BLOB    NOT NULL,
    setup           BLOB    NOT NULL,           -- sealed JSON: address, description, secrets
    kinds           TEXT    NOT NULL,           -- JSON: kinds of events; none: all
    state           TEXT    NOT NULL,           -- active | paused | disabled
    position        BIGINT  NOT NULL,           -- the last event of `events` that is dealt with
    failures        INTEGER NOT NULL,           -- tries of the next event that failed
    failing_since   BIGINT,
    failure         TEXT,                       -- what the last try came to, where it failed
    due_at          BIGINT,                     -- the next try is not before
    told_at         BIGINT,                     -- the last success
    lease_node      BLOB,
    lease_until     BIGINT,
    created_by      BLOB,
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    version         BIGINT  NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE webhook_attempts (
    organization_id BLOB    NOT NULL,
    webhook_id      BLOB    NOT NULL,
    id              BLOB    NOT NULL,
    seq             BIGINT,                     -- the event; absent for a test
    kind            TEXT    NOT NULL,
    outcome         TEXT    NOT NULL,           -- delivered, or what failed
    status          INTEGER,                    -- HTTP
    millis          BIGINT  NOT NULL,
    created_at      BIGINT  NOT NULL,
    PRIMARY KEY (organization_id, webhook_id, id),
    FOREIGN KEY (organization_id, webhook_id) REFERENCES webhook_endpoints (organization_id, id)
);
