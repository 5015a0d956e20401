-- Who is texting: each verification with how it ended and what staff said of it, and who is locked out.

CREATE TABLE verifications (
    organization_id   UUID    NOT NULL,
    id                UUID    NOT NULL,
    conversation_id   UUID    NOT NULL,
    number_id         UUID    NOT NULL,
    peer_hash         BYTEA   NOT NULL,
    state             TEXT    NOT NULL,         -- model::states::VerificationState
    reason            TEXT,                     -- why it was given up: the policy's word
    questions         JSONB   NOT NULL,         -- JSON list: the questions asked, by name, in order
    identity_hash     BYTEA,                     -- of what was claimed: who they say they are
    data              BYTEA,                     -- sealed JSON: claims, what must agree, which policy
    patient_id        UUID,                     -- who it is, as far as it came out
    decision_id       UUID,                     -- the decision that ended it
    began_at          BIGINT  NOT NULL,
    asked_at          BIGINT,                   -- the last question
    ended_at          BIGINT,
    due_at            BIGINT,                   -- asking: when it times out; matching: when somebody else should
    label             TEXT,                     -- what staff found: model::states::VerificationLabel
    actual_patient_id UUID,                     -- whom they say it is; NULL with a label: nobody of the directory
    merge_id          UUID,                     -- staff's: the merge of the placeholder into the patient
    labelled_by       UUID,
    labelled_at       BIGINT,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id)
);
CREATE INDEX verifications_of_conversation ON verifications (organization_id, conversation_id, id);
CREATE INDEX verifications_of_phone ON verifications (organization_id, peer_hash, ended_at);
CREATE INDEX verifications_of_number ON verifications (organization_id, number_id, ended_at);
CREATE INDEX verifications_ended ON verifications (organization_id, ended_at);
CREATE INDEX verifications_due ON verifications (due_at) WHERE due_at IS NOT NULL;

-- Whose claims are not matched for a while.
CREATE TABLE verification_locks (
    organization_id UUID   NOT NULL REFERENCES organizations (id),
    scope           TEXT   NOT NULL,            -- phone | number | organization
    subject_hash    BYTEA  NOT NULL,            -- of the phone, the number's id, the organization's id
    reason          TEXT   NOT NULL,            -- attempts | enumeration | burst
    conversation_id UUID,                       -- where it came to it
    created_at      BIGINT NOT NULL,
    until           BIGINT NOT NULL,
    PRIMARY KEY (organization_id, scope, subject_hash)
);

-- A texter knows their record's number, not which system gave it.
CREATE INDEX patient_external_ids_by_value ON patient_external_ids (organization_id, kind, value_hash);
