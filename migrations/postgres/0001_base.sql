-- The base. Every key leads with the organization, so that the tables can be distributed by it.
-- Columns marked "sealed" hold AES-256-GCM-SIV under the organization's data key; columns ending in _hash
-- hold HMAC-SHA-256 under the organization's look-up key (but those of secrets and passwords).
-- Moments are integer microseconds since 1970.

CREATE TABLE organizations (
    id           UUID    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    settings     JSONB    NOT NULL,              -- JSON: verification, throttle, opt-out scope, …
    wrapped_key  BYTEA    NOT NULL,              -- the data key under the master key
    event_seq    BIGINT  NOT NULL DEFAULT 0,    -- the last sequence number given out in `events`
    created_at   BIGINT  NOT NULL
);

CREATE TABLE facilities (
    organization_id UUID NOT NULL REFERENCES organizations (id),
    id              UUID NOT NULL,
    name            TEXT NOT NULL,
    time_zone       TEXT NOT NULL,
    hours           JSONB NOT NULL,              -- JSON: model::hours::OpeningHours
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, name)
);

CREATE TABLE teams (
    organization_id UUID NOT NULL REFERENCES organizations (id),
    id              UUID NOT NULL,
    name            TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, name)
);

CREATE TABLE staff (
    organization_id UUID    NOT NULL REFERENCES organizations (id),
    id              UUID    NOT NULL,
    name            TEXT    NOT NULL,
    email           TEXT    NOT NULL,           -- lower case
    password_hash   TEXT    NOT NULL,           -- argon2id, PHC string
    role            TEXT    NOT NULL,
    active          BOOLEAN NOT NULL,
    created_at      BIGINT  NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, email)
);
CREATE INDEX staff_by_email ON staff (email);

CREATE TABLE team_members (
    organization_id UUID NOT NULL,
    team_id         UUID NOT NULL,
    staff_id        UUID NOT NULL,
    PRIMARY KEY (organization_id, team_id, staff_id),
    FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id),
    FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id)
);

CREATE TABLE sessions (
    organization_id UUID   NOT NULL,
    secret_hash     BYTEA   NOT NULL,            -- SHA-256 of the cookie's secret
    staff_id        UUID   NOT NULL,
    csrf_token      TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, secret_hash),
    FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id)
);

CREATE TABLE tokens (
    organization_id UUID   NOT NULL,
    id              UUID   NOT NULL,
    staff_id        UUID   NOT NULL,
    name            TEXT   NOT NULL,
    secret_hash     BYTEA   NOT NULL,
    scopes          JSONB   NOT NULL,            -- JSON list
    created_at      BIGINT NOT NULL,
    revoked_at      BIGINT,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id)
);

CREATE TABLE carrier_accounts (
    organization_id  UUID    NOT NULL REFERENCES organizations (id),
    id               UUID    NOT NULL,
    carrier          TEXT    NOT NULL,
    label            TEXT    NOT NULL,
    public_url       TEXT    NOT NULL,          -- what the carrier signs
    credentials      BYTEA    NOT NULL,          -- sealed JSON with the carrier's own field names
    answers_opt_outs BOOLEAN NOT NULL,          -- the carrier confirms STOP itself
    created_at       BIGINT  NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX carrier_accounts_by_id ON carrier_accounts (id);

CREATE TABLE numbers (
    organization_id    UUID    NOT NULL,
    id                 UUID    NOT NULL,
    carrier_account_id UUID    NOT NULL,
    facility_id        UUID,
    address_hash       BYTEA    NOT NULL,
    address            BYTEA    NOT NULL,        -- sealed
    kind               TEXT    NOT NULL,
    label              TEXT    NOT NULL,
    texting_enabled    BOOLEAN NOT NULL,        -- patient-initiated texting
    verification       BOOLEAN,                 -- NULL: as the organization
    registration       TEXT    NOT NULL,
    registration_note  TEXT    NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, address_hash),
    FOREIGN KEY (organization_id, carrier_account_id) REFERENCES carrier_accounts (organization_id, id),
    FOREIGN KEY (organization_id, facility_id) REFERENCES facilities (organization_id, id)
);

CREATE TABLE patients (
    organization_id UUID   NOT NULL REFERENCES organizations (id),
    id              UUID   NOT NULL,
    kind            TEXT   NOT NULL,            -- profile | placeholder
    profile         BYTEA   NOT NULL,            -- sealed JSON
    label_hash      BYTEA,                       -- of a placeholder's name, so that none is used twice
    last_name_hash  BYTEA,                       -- of the folded last name
    birth_date_hash BYTEA,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, label_hash)
);
CREATE INDEX patients_by_birth_date ON patients (organization_id, birth_date_hash, last_name_hash);

CREATE TABLE patient_phones (
    organization_id UUID NOT NULL,
    phone_hash      BYTEA NOT NULL,
    patient_id      UUID NOT NULL,
    phone           BYTEA NOT NULL,              -- sealed
    PRIMARY KEY (organization_id, phone_hash, patient_id),
    FOREIGN KEY (organization_id, patient_id) REFERENCES patients (organization_id, id)
);
CREATE INDEX patient_phones_by_patient ON patient_phones (organization_id, patient_id);

CREATE TABLE conversations (
    organization_id UUID    NOT NULL,
    id              UUID    NOT NULL,
    number_id       UUID    NOT NULL,
    peer_hash       BYTEA    NOT NULL,
    peer            BYTEA    NOT NULL,           -- sealed: the patient's phone number
    patient_id      UUID,
    identity        TEXT    NOT NULL,
    exchanges       BYTEA,                       -- sealed JSON: questions and answers of a verification
    state           TEXT    NOT NULL,
    assignee_id     UUID,                       -- NULL: in the Unassigned queue
    team_id         UUID,
    facility_id     UUID,
    category        TEXT,
    priority        TEXT    NOT NULL,
    tags            JSONB    NOT NULL,           -- JSON list
    turn_number     INTEGER NOT NULL,           -- texts since it was opened
    waiting_since   BIGINT,                     -- the oldest text that nobody has answered
    sort_at         BIGINT  NOT NULL,           -- waiting_since, or the end of time: order of the queues
    last_message_at BIGINT  NOT NULL,
    snoozed_until   BIGINT,
    created_at      BIGINT  NOT NULL,
    version         BIGINT  NOT NULL,           -- for If-Match
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, number_id, peer_hash),
    FOREIGN KEY (organization_id, number_id) REFERENCES numbers (organization_id, id),
    FOREIGN KEY (organization_id, patient_id) REFERENCES patients (organization_id, id),
    FOREIGN KEY (organization_id, assignee_id) REFERENCES staff (organization_id, id),
    FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id),
    FOREIGN KEY (organization_id, facility_id) REFERENCES facilities (organization_id, id)
);
CREATE INDEX conversations_queue ON conversations (organization_id, state, sort_at, id);
CREATE INDEX conversations_recent ON conversations (organization_id, state, last_message_at, id);
CREATE INDEX conversations_snoozed ON conversations (snoozed_until) WHERE snoozed_until IS NOT NULL;

-- Inbound and outbound alike; the queues are these rows. `due_at` is set while there is work: the moment a
-- worker should look, which is the end of the lease while one works on it.
CREATE TABLE messages (
    organization_id    UUID    NOT NULL,
    id                 UUID    NOT NULL,
    direction          TEXT    NOT NULL,
    carrier_account_id UUID    NOT NULL,
    number_id          UUID    NOT NULL,
    peer_hash          BYTEA    NOT NULL,
    peer               BYTEA    NOT NULL,        -- sealed
    body               BYTEA    NOT NULL,        -- sealed
    extra              BYTEA,                    -- sealed JSON: media, throttle key, why
    carrier_message_id TEXT,
    conversation_id    UUID,
    author             TEXT    NOT NULL,
    author_id          UUID,
    state              TEXT    NOT NULL,
    due_at             BIGINT,
    lease_node         UUID,
    in_lane            BOOLEAN NOT NULL DEFAULT FALSE, -- a claim has seen it, or it is outbound
    attempt            INTEGER NOT NULL DEFAULT 0,
    in_doubt           INTEGER NOT NULL DEFAULT 0, -- outbound: attempts begun whose end nobody saw
    despite_opt_out    BOOLEAN NOT NULL DEFAULT FALSE, -- the one confirmation of a STOP, the answer to HELP
    segments           INTEGER NOT NULL DEFAULT 1,
    error_code         TEXT,
    error_text         TEXT,
    created_at         BIGINT  NOT NULL,
    sent_at            BIGINT,
    finished_at        BIGINT,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, carrier_account_id, carrier_message_id)
);
CREATE INDEX messages_of_conversation ON messages (organization_id, conversation_id, id)
    WHERE conversation_id IS NOT NULL;
CREATE INDEX messages_due ON messages (direction, due_at) WHERE due_at IS NOT NULL;
-- Texts that arrive aren't in it until a claim has seen them: a leaf at random to write would be half of what
-- storing one costs.
CREATE INDEX messages_lane ON messages (organization_id, number_id, peer_hash, direction, id)
    WHERE in_lane AND due_at IS NOT NULL;
CREATE INDEX messages_set_aside ON messages (organization_id, id)
    WHERE state IN ('dead', 'held', 'failed', 'unknown');

CREATE TABLE notes (
    organization_id UUID   NOT NULL,
    id              UUID   NOT NULL,
    conversation_id UUID   NOT NULL,
    author_id       UUID   NOT NULL,
    body            BYTEA   NOT NULL,            -- sealed
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id),
    FOREIGN KEY (organization_id, author_id) REFERENCES staff (organization_id, id)
);
CREATE INDEX notes_of_conversation ON notes (organization_id, conversation_id, id);

-- Component bytes by content. The components embedded in the binary are kept too, so that a decision can be
-- replayed after an upgrade.
CREATE TABLE components (
    organization_id UUID   NOT NULL REFERENCES organizations (id),
    digest          BYTEA   NOT NULL,            -- SHA-256
    bytes           BYTEA   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, digest)
);

CREATE TABLE policies (
    organization_id UUID   NOT NULL,
    id              UUID   NOT NULL,
    name            TEXT   NOT NULL,
    version         TEXT   NOT NULL,
    origin          TEXT   NOT NULL,            -- builtin | uploaded
    digest          BYTEA   NOT NULL,
    manifest        JSONB   NOT NULL,            -- JSON
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, digest),
    FOREIGN KEY (organization_id, digest) REFERENCES components (organization_id, digest)
);

CREATE TABLE policy_settings (
    organization_id UUID   NOT NULL REFERENCES organizations (id),
    digest          BYTEA   NOT NULL,            -- SHA-256 of the text
    settings        TEXT   NOT NULL,            -- JSON
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, digest)
);

CREATE TABLE bindings (
    organization_id UUID    NOT NULL,
    id              UUID    NOT NULL,
    hook            TEXT    NOT NULL,
    number_id       UUID,                       -- NULL: the whole organization
    position        INTEGER NOT NULL,           -- order of the chain
    mode            TEXT    NOT NULL,
    policy_id       UUID    NOT NULL,
    settings_digest BYTEA    NOT NULL,
    granted_fields  JSONB    NOT NULL,           -- JSON list: patient fields an admin has granted
    created_at      BIGINT  NOT NULL,
    retired_at      BIGINT,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, number_id) REFERENCES numbers (organization_id, id),
    FOREIGN KEY (organization_id, policy_id) REFERENCES policies (organization_id, id),
    FOREIGN KEY (organization_id, settings_digest) REFERENCES policy_settings (organization_id, digest)
);

CREATE TABLE decisions (
    organization_id UUID    NOT NULL,
    id              UUID    NOT NULL,
    conversation_id UUID,
    message_id      UUID,
    binding_id      UUID    NOT NULL,
    policy_id       UUID    NOT NULL,
    hook            TEXT    NOT NULL,
    outcome         TEXT    NOT NULL,           -- decided | no_opinion | fault | overload
    fault           TEXT,                       -- kind
    effect          TEXT    NOT NULL,           -- what the host did: applied | none | refused | throttled | loop | shadow
    fuel            BIGINT  NOT NULL,
    memory_peak     BIGINT  NOT NULL,           -- bytes
    micros          BIGINT  NOT NULL,
    record          BYTEA    NOT NULL,           -- sealed JSON: policy::CallRecord
    created_at      BIGINT  NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX decisions_of_conversation ON decisions (organization_id, conversation_id, id);

-- Append-only, gapless per organization.
CREATE TABLE events (
    organization_id UUID   NOT NULL,
    seq             BIGINT NOT NULL,
    kind            TEXT   NOT NULL,
    conversation_id UUID,
    actor           TEXT   NOT NULL,            -- patient | staff | policy | host
    actor_id        UUID,
    data            BYTEA   NOT NULL,            -- sealed JSON
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, seq)
);
CREATE INDEX events_of_conversation ON events (organization_id, conversation_id, seq);

CREATE TABLE opt_outs (
    organization_id UUID   NOT NULL REFERENCES organizations (id),
    id              UUID   NOT NULL,
    peer_hash       BYTEA   NOT NULL,
    peer            BYTEA   NOT NULL,            -- sealed
    number_id       UUID,                       -- NULL: every number of the organization
    source          TEXT   NOT NULL,            -- keyword | staff | carrier
    created_at      BIGINT NOT NULL,
    cleared_at      BIGINT,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX opt_outs_by_peer ON opt_outs (organization_id, peer_hash);

-- What one POST with an Idempotency-Key made, so that the same key answers the same again.
CREATE TABLE idempotency (
    organization_id UUID   NOT NULL REFERENCES organizations (id),
    actor_id        UUID   NOT NULL,
    key_hash        BYTEA   NOT NULL,
    request_hash    BYTEA   NOT NULL,
    resource_id     UUID   NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, actor_id, key_hash)
);

CREATE TABLE audit (
    organization_id UUID   NOT NULL REFERENCES organizations (id),
    id              UUID   NOT NULL,
    actor           TEXT   NOT NULL,
    actor_id        UUID,
    action          TEXT   NOT NULL,            -- for example conversation.read
    subject         UUID,                       -- id of what was read or changed
    request_id      TEXT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX audit_by_subject ON audit (organization_id, subject, id);

-- Every text is updated a few times while it is worked on: room on its page keeps those updates there.
ALTER TABLE messages SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
ALTER TABLE conversations SET (fillfactor = 80);
