-- Lists of patients from a clinic's own system: where they come from, each one on its way, what is known of who
-- was in the last one.

CREATE TABLE roster_sources (
    organization_id BLOB    NOT NULL REFERENCES organizations (id),
    id              BLOB    NOT NULL,
    name            TEXT    NOT NULL,
    settings        TEXT    NOT NULL,           -- JSON: model::roster::RosterSettings
    secrets         BLOB,                       -- sealed JSON: password or private key of the SFTP account
    enabled         BOOLEAN NOT NULL,
    next_look_at    BIGINT,                     -- when to look into the folder again; NULL: never
    look_node       BLOB,                       -- who looks now, until when
    look_until      BIGINT,
    last_look_at    BIGINT,
    last_look       TEXT,                       -- how the last look ended: ok, or what failed
    failures        INTEGER NOT NULL,           -- looks that failed in a row
    created_by      BLOB,
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    version         BIGINT  NOT NULL,           -- for If-Match
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, name)
);
CREATE INDEX roster_sources_due ON roster_sources (next_look_at) WHERE next_look_at IS NOT NULL;

-- The row is the queue: a node leases it, and says with each batch how far it is.
CREATE TABLE roster_runs (
    organization_id BLOB    NOT NULL,
    id              BLOB    NOT NULL,
    source_id       BLOB    NOT NULL,
    origin          TEXT    NOT NULL,           -- upload | sftp | terminal
    file_name       BLOB,                       -- sealed
    file_hash       BLOB,                       -- keyed: of the file and how it is read
    bytes           BIGINT  NOT NULL,
    settings        TEXT    NOT NULL,           -- JSON: those of the source when the file came
    dry_run         BOOLEAN NOT NULL,
    state           TEXT    NOT NULL,           -- receiving | waiting | running | done | refused | failed | cancelled
    phase           TEXT    NOT NULL,           -- receiving | checking | applying | missing | ended
    total           BIGINT  NOT NULL,           -- rows; 0 until they are counted
    done            BIGINT  NOT NULL,           -- rows that are behind it
    created         BIGINT  NOT NULL,
    changed         BIGINT  NOT NULL,
    same            BIGINT  NOT NULL,
    refused         BIGINT  NOT NULL,
    missing         BIGINT  NOT NULL,
    problem         TEXT,                       -- JSON: why nothing (more) was applied
    lease_node      BLOB,
    lease_until     BIGINT,
    takes           INTEGER NOT NULL,           -- how often a node has taken it up
    created_by      BLOB,
    created_at      BIGINT  NOT NULL,
    started_at      BIGINT,
    ended_at        BIGINT,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, source_id) REFERENCES roster_sources (organization_id, id)
);
CREATE INDEX roster_runs_unfinished ON roster_runs (state, organization_id, id)
    WHERE state IN ('receiving', 'waiting', 'running');
CREATE INDEX roster_runs_of_source ON roster_runs (organization_id, source_id, id);

-- The file of a run, while the run isn't over.
CREATE TABLE roster_parts (
    organization_id BLOB    NOT NULL,
    run_id          BLOB    NOT NULL,
    part            INTEGER NOT NULL,
    bytes           BLOB    NOT NULL,           -- sealed
    PRIMARY KEY (organization_id, run_id, part),
    FOREIGN KEY (organization_id, run_id) REFERENCES roster_runs (organization_id, id)
);

-- What became of the rows, many rows of a file in one row here. Those not named in it were the same as before.
CREATE TABLE roster_reports (
    organization_id BLOB    NOT NULL,
    run_id          BLOB    NOT NULL,
    last_row        BIGINT  NOT NULL,
    first_row       BIGINT  NOT NULL,
    content         BLOB    NOT NULL,           -- sealed JSON
    PRIMARY KEY (organization_id, run_id, last_row),
    FOREIGN KEY (organization_id, run_id) REFERENCES roster_runs (organization_id, id)
);

-- Who a source's patients are, and what it said of them last.
CREATE TABLE roster_entries (
    organization_id BLOB    NOT NULL,
    source_id       BLOB    NOT NULL,
    key_hash        BLOB    NOT NULL,           -- of the external id
    patient_id      BLOB    NOT NULL,
    row_hash        BLOB    NOT NULL,           -- keyed: of what the row said
    said            BLOB    NOT NULL,           -- sealed JSON: what the row said
    missing_since   BIGINT,                     -- not in the last file
    PRIMARY KEY (organization_id, source_id, key_hash),
    FOREIGN KEY (organization_id, source_id) REFERENCES roster_sources (organization_id, id),
    FOREIGN KEY (organization_id, patient_id) REFERENCES patients (organization_id, id)
);
CREATE INDEX roster_entries_of_patient ON roster_entries (organization_id, patient_id);

-- What was seen in a folder, so that a file is read once it has settled, and once.
CREATE TABLE roster_files (
    organization_id BLOB    NOT NULL,
    source_id       BLOB    NOT NULL,
    name_hash       BLOB    NOT NULL,           -- keyed
    name            BLOB    NOT NULL,           -- sealed
    size            BIGINT  NOT NULL,
    modified        BIGINT  NOT NULL,           -- by the server's clock
    seen_at         BIGINT  NOT NULL,           -- when it was first seen so
    state           TEXT    NOT NULL,           -- waiting | taken | same | refused
    run_id          BLOB,
    PRIMARY KEY (organization_id, source_id, name_hash),
    FOREIGN KEY (organization_id, source_id) REFERENCES roster_sources (organization_id, id)
);
