-- Texts of links (SMPP) that the message centre may send again: what a process that was killed leaves to the next.
CREATE TABLE link_deliveries (
    organization_id    UUID   NOT NULL,
    carrier_account_id UUID   NOT NULL,
    carrier_message_id TEXT   NOT NULL,         -- ours, for the first time and its repetition
    fingerprint        BYTEA  NOT NULL,         -- keyed hash of all that tells it from another one
    created_at         BIGINT NOT NULL,
    PRIMARY KEY (organization_id, carrier_account_id, carrier_message_id)
);
CREATE INDEX link_deliveries_by_age ON link_deliveries (created_at);
