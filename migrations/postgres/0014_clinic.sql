-- Setting up a clinic while it runs: versions for If-Match, one-time links, when a token was last used.

ALTER TABLE organizations ADD COLUMN version BIGINT NOT NULL DEFAULT 1;   -- of the name and the time zone
ALTER TABLE facilities ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE teams ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE staff ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE tokens ADD COLUMN last_used_at BIGINT;                        -- to ten minutes

-- With one of these somebody sets a password: at most one each, gone when it was used.
CREATE TABLE staff_links (
    organization_id UUID    NOT NULL,
    staff_id        UUID    NOT NULL,
    secret_hash     BYTEA   NOT NULL,           -- SHA-256 of the link's secret
    invites         BOOLEAN NOT NULL,           -- the first password, and not another one
    created_by      UUID,                       -- NULL: from a terminal
    created_at      BIGINT  NOT NULL,
    expires_at      BIGINT  NOT NULL,
    PRIMARY KEY (organization_id, staff_id),
    FOREIGN KEY (organization_id, staff_id) REFERENCES staff (organization_id, id)
);
