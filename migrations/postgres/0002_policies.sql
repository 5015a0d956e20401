-- What organizations do with policies of their own: uploads, signatures, bindings that are tried out, the
-- chain of decisions, backtests, notices.

-- The chain of decisions. Each one's hash covers the one before, so a changed or missing record is found; the
-- organization keeps the end of it. Decisions from before this migration have no place in it.
ALTER TABLE organizations ADD COLUMN decision_seq BIGINT NOT NULL DEFAULT 0; -- the last `decisions.seq`
ALTER TABLE organizations ADD COLUMN decision_hash BYTEA;                     -- and its hash
ALTER TABLE decisions ADD COLUMN seq BIGINT;
ALTER TABLE decisions ADD COLUMN hash BYTEA;
CREATE UNIQUE INDEX decisions_in_chain ON decisions (organization_id, seq);
CREATE INDEX decisions_of_policy ON decisions (organization_id, policy_id, id);
CREATE INDEX decisions_with_fault ON decisions (organization_id, binding_id, id) WHERE fault IS NOT NULL;

ALTER TABLE policies ADD COLUMN created_by UUID;        -- staff; NULL: comes with Anteroom
ALTER TABLE policies ADD COLUMN hooks JSONB;             -- JSON list of the hooks it serves; NULL: read the component
ALTER TABLE policies ADD COLUMN imports JSONB;           -- JSON list of the functions it imports

-- What became of an upload.
CREATE TABLE policy_uploads (
    organization_id UUID   NOT NULL REFERENCES organizations (id),
    id              UUID   NOT NULL,
    state           TEXT   NOT NULL,            -- checking | stored | refused
    step            TEXT   NOT NULL,            -- the step it is at, or was refused at
    digest          BYTEA   NOT NULL,            -- SHA-256 of what was sent
    bytes           BIGINT NOT NULL,
    refusal         JSONB,                       -- JSON: policy::Refusal
    policy_id       UUID,
    settings_digest BYTEA,                       -- of settings sent with it
    created_by      UUID,
    created_at      BIGINT NOT NULL,
    ended_at        BIGINT,
    PRIMARY KEY (organization_id, id)
);

-- Keys whose signatures an organization trusts.
CREATE TABLE signing_keys (
    organization_id UUID   NOT NULL REFERENCES organizations (id),
    id              UUID   NOT NULL,
    name            TEXT   NOT NULL,
    public_key      BYTEA   NOT NULL,            -- ed25519, 32 bytes
    created_by      UUID,
    created_at      BIGINT NOT NULL,
    revoked_at      BIGINT,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, public_key)
);

CREATE TABLE policy_signatures (
    organization_id UUID   NOT NULL,
    policy_id       UUID   NOT NULL,
    key_id          UUID   NOT NULL,
    signature       BYTEA   NOT NULL,            -- ed25519 over the component's digest, 64 bytes
    created_by      UUID,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, policy_id, key_id),
    FOREIGN KEY (organization_id, policy_id) REFERENCES policies (organization_id, id),
    FOREIGN KEY (organization_id, key_id) REFERENCES signing_keys (organization_id, id)
);

-- Bindings that take a part of the conversations, that took another one's place, that are halted.
ALTER TABLE bindings ADD COLUMN canary JSONB;            -- JSON: share of conversations, numbers
ALTER TABLE bindings ADD COLUMN replaced_id UUID;       -- the binding whose place it took
ALTER TABLE bindings ADD COLUMN created_by UUID;
ALTER TABLE bindings ADD COLUMN retired_by UUID;
ALTER TABLE bindings ADD COLUMN retired_because TEXT;   -- staff | replaced | rolled_back | faults
ALTER TABLE bindings ADD COLUMN halted_until BIGINT;    -- off after faults; then one call is tried
ALTER TABLE bindings ADD COLUMN halts INTEGER NOT NULL DEFAULT 0; -- in a row, for the back-off
CREATE UNIQUE INDEX bindings_active ON bindings
    (organization_id, hook, COALESCE(number_id, '00000000-0000-0000-0000-000000000000'::uuid), position) WHERE mode = 'active' AND retired_at IS NULL;

CREATE TABLE backtests (
    organization_id UUID   NOT NULL,
    id              UUID   NOT NULL,
    hook            TEXT   NOT NULL,
    policy_id       UUID   NOT NULL,            -- the candidate
    settings_digest BYTEA   NOT NULL,
    since           BIGINT NOT NULL,            -- the decisions of this window are tried
    until           BIGINT NOT NULL,
    last_seq        BIGINT NOT NULL,            -- up to here in the chain: what came after is not tried
    number_id       UUID,               -- only turns on this number
    state           TEXT   NOT NULL,            -- waiting | running | done | failed | cancelled
    total           BIGINT NOT NULL,
    done            BIGINT NOT NULL,
    lease_node      UUID,
    lease_until     BIGINT,
    report          BYTEA,                       -- sealed JSON
    report_digest   BYTEA,                       -- SHA-256 of that JSON
    error           TEXT,
    created_by      UUID,
    created_at      BIGINT NOT NULL,
    started_at      BIGINT,
    ended_at        BIGINT,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, policy_id) REFERENCES policies (organization_id, id),
    FOREIGN KEY (organization_id, settings_digest) REFERENCES policy_settings (organization_id, digest)
);
CREATE INDEX backtests_unfinished ON backtests (state, organization_id, id);

-- What an organization's administrators must know of.
CREATE TABLE notices (
    organization_id UUID   NOT NULL REFERENCES organizations (id),
    id              UUID   NOT NULL,
    kind            TEXT   NOT NULL,            -- for example policy.rolled_back
    data            BYTEA   NOT NULL,            -- sealed JSON
    created_at      BIGINT NOT NULL,
    dismissed_at    BIGINT,
    dismissed_by    UUID,
    PRIMARY KEY (organization_id, id)
);
