-- Search across texts and notes: an index of their words, cut into segments of about a thousand texts, each made once
-- from the events that tell of them. Whatever no segment covers yet is opened and read. No foreign keys: it is made
-- from other tables, and can be made again.

CREATE TABLE search_segments (
    organization_id UUID    NOT NULL,
    segment         BIGINT  NOT NULL,           -- events.seq from which on it covers them
    until_seq       BIGINT  NOT NULL,           -- the last one that it covers
    items           BYTEA   NOT NULL,           -- sealed: the texts and notes, by their places
    PRIMARY KEY (organization_id, segment)
);

-- The words of a segment, in as many blocks for each: which block a word is in is told by a keyed hash of its first
-- letters, what the block holds is sealed.
CREATE TABLE search_blocks (
    organization_id UUID    NOT NULL,
    bucket          INTEGER NOT NULL,
    segment         BIGINT  NOT NULL,
    entries         BYTEA   NOT NULL,           -- sealed: words with the places of the texts that have them
    PRIMARY KEY (organization_id, bucket, segment)
);
