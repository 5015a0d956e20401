-- Receipts that name a text by an id that the carrier has not told us yet: its answer to the send is on its way.
CREATE TABLE early_receipts (
    organization_id    UUID   NOT NULL,
    carrier_account_id UUID   NOT NULL,
    carrier_message_id TEXT   NOT NULL,
    state              TEXT   NOT NULL,         -- sent | delivered | failed
    error_code         TEXT,
    created_at         BIGINT NOT NULL,
    PRIMARY KEY (organization_id, carrier_account_id, carrier_message_id, state)
);
CREATE INDEX early_receipts_by_age ON early_receipts (created_at);
