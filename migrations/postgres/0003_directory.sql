-- The patient directory: several phones with their owners, ids of other systems, care-givers, merges that can be
-- undone, deletion, search.

-- A row of `patients` is a record. Merging moves nothing: the absorbed record points to the other one, and is
-- found through it. `merged_into` is the merge itself (a tree), `survivor_id` where that leads in the end.
ALTER TABLE patients ADD COLUMN state TEXT NOT NULL DEFAULT 'active';    -- active | merged | deleted
ALTER TABLE patients ADD COLUMN merged_into UUID;
ALTER TABLE patients ADD COLUMN survivor_id UUID;                        -- NULL: itself
ALTER TABLE patients ADD COLUMN version BIGINT NOT NULL DEFAULT 1;       -- for If-Match
ALTER TABLE patients ADD COLUMN deleted_at BIGINT;
ALTER TABLE patients ADD COLUMN indexed BOOLEAN NOT NULL DEFAULT FALSE;  -- its words are in patient_words
CREATE INDEX patients_merged ON patients (organization_id, survivor_id) WHERE survivor_id IS NOT NULL;
CREATE INDEX patients_to_index ON patients (organization_id, id) WHERE NOT indexed;

ALTER TABLE patient_phones ADD COLUMN kind TEXT NOT NULL DEFAULT 'mobile';  -- mobile | home | work | other
ALTER TABLE patient_phones ADD COLUMN owner TEXT NOT NULL DEFAULT 'self';   -- self | shared | caregiver
ALTER TABLE patient_phones ADD COLUMN preferred BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE patient_phones ADD COLUMN source TEXT;                          -- the roster that told it; NULL: staff
ALTER TABLE patient_phones ADD COLUMN caregiver_id UUID;                    -- whose it is: patient_caregivers.id

-- Ids that other systems know a patient by. Of a deleted patient the hash stays, so that a roster doesn't
-- bring them back.
CREATE TABLE patient_external_ids (
    organization_id UUID   NOT NULL,
    source          TEXT   NOT NULL,            -- for example athena
    kind            TEXT   NOT NULL,            -- for example mrn
    value_hash      BYTEA   NOT NULL,
    patient_id      UUID   NOT NULL,
    value           BYTEA,                       -- sealed; NULL: of a deleted patient
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, source, kind, value_hash),
    FOREIGN KEY (organization_id, patient_id) REFERENCES patients (organization_id, id)
);
CREATE INDEX patient_external_ids_of_patient ON patient_external_ids (organization_id, patient_id);

-- Who may speak for a patient: another patient, or a contact that is none.
CREATE TABLE patient_caregivers (
    organization_id UUID   NOT NULL,
    id              UUID   NOT NULL,
    patient_id      UUID   NOT NULL,            -- who is cared for
    caregiver_id    UUID,                       -- the other patient; NULL: a contact
    data            BYTEA   NOT NULL,            -- sealed JSON: relation, and a contact's name and phone
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, patient_id) REFERENCES patients (organization_id, id),
    FOREIGN KEY (organization_id, caregiver_id) REFERENCES patients (organization_id, id)
);
CREATE INDEX patient_caregivers_of_patient ON patient_caregivers (organization_id, patient_id);
CREATE INDEX patient_caregivers_by_caregiver ON patient_caregivers (organization_id, caregiver_id)
    WHERE caregiver_id IS NOT NULL;

-- What a patient is found by: keyed hashes, cut to 12 bytes, of words of their names, of what these begin with,
-- of date of birth, the end of phone numbers, external ids. No foreign key: it is made from other tables.
CREATE TABLE patient_words (
    organization_id UUID NOT NULL,
    word_hash       BYTEA NOT NULL,
    patient_id      UUID NOT NULL,
    PRIMARY KEY (organization_id, word_hash, patient_id)
);

CREATE TABLE patient_merges (
    organization_id UUID   NOT NULL,
    id              UUID   NOT NULL,
    survivor_id     UUID   NOT NULL,
    absorbed_id     UUID   NOT NULL,
    data            BYTEA,                       -- sealed JSON: reason, both records as they were; NULL: deleted
    merged_by       UUID,                       -- staff
    created_at      BIGINT NOT NULL,
    undone_by       UUID,
    undone_at       BIGINT,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, survivor_id) REFERENCES patients (organization_id, id),
    FOREIGN KEY (organization_id, absorbed_id) REFERENCES patients (organization_id, id)
);
CREATE INDEX patient_merges_of_survivor ON patient_merges (organization_id, survivor_id, id);
CREATE INDEX patient_merges_of_absorbed ON patient_merges (organization_id, absorbed_id, id);

-- What was changed, by whom, and how it was before.
CREATE TABLE patient_changes (
    organization_id UUID   NOT NULL,
    patient_id      UUID   NOT NULL,
    id              UUID   NOT NULL,
    kind            TEXT   NOT NULL,            -- for example patient.changed, as the event
    actor           TEXT   NOT NULL,
    actor_id        UUID,
    data            BYTEA,                       -- sealed JSON: reason, before, after; NULL: deleted
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, patient_id, id),
    FOREIGN KEY (organization_id, patient_id) REFERENCES patients (organization_id, id)
);

CREATE INDEX conversations_of_patient ON conversations (organization_id, patient_id, id)
    WHERE patient_id IS NOT NULL;
