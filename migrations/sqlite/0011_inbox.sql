-- What staff set about a conversation, and how they look at many.

-- Closed with the wish that a new text comes back to whoever had it.
ALTER TABLE conversations ADD COLUMN reopens_to_assignee BOOLEAN NOT NULL DEFAULT FALSE;
-- What staff have set since it was opened (`category`, `priority`, `tags`), a JSON list: routing heeds it.
ALTER TABLE conversations ADD COLUMN staff_set TEXT NOT NULL DEFAULT '[]';

-- A row for each tag of a conversation: `conversations.tags` is what counts, this finds it.
CREATE TABLE conversation_tags (
    organization_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    tag             TEXT NOT NULL,
    PRIMARY KEY (organization_id, conversation_id, tag),
    FOREIGN KEY (organization_id, conversation_id) REFERENCES conversations (organization_id, id)
) WITHOUT ROWID;
CREATE INDEX conversation_tags_in_use ON conversation_tags (organization_id, tag, conversation_id);
INSERT INTO conversation_tags (organization_id, conversation_id, tag)
SELECT DISTINCT c.organization_id, c.id, t.value FROM conversations c, json_each(c.tags) t;

-- The queues in their order, with all that they are filtered by: a filter that few conversations pass is judged
-- in the index, without reading those that don't.
CREATE INDEX conversations_open ON conversations (organization_id, sort_at, id, state, assignee_id, team_id,
    facility_id, number_id, category, priority) WHERE state <> 'closed';
CREATE INDEX conversations_closed ON conversations (organization_id, state, last_message_at, id, team_id, facility_id,
    number_id, category, priority) WHERE state = 'closed';
CREATE INDEX conversations_asleep ON conversations (organization_id, snoozed_until, id) WHERE state = 'snoozed';
-- What `conversations_closed` serves as well.
DROP INDEX conversations_recent;
-- For the list of categories in use; no plain column, or a common category would be looked for in it.
CREATE INDEX conversations_categories ON conversations (organization_id, (category || ''));

-- Saved views: a queue with filters, under a name.
CREATE TABLE views (
    organization_id BLOB   NOT NULL,
    id              BLOB   NOT NULL,
    owner_id        BLOB   NOT NULL,            -- who made it
    shared          TEXT   NOT NULL,            -- nobody | everybody | team
    team_id         BLOB,                       -- of `team`; one that is deleted shares with nobody
    content         BLOB   NOT NULL,            -- sealed JSON: name, queue, filters
    created_at      BIGINT NOT NULL,
    version         BIGINT NOT NULL,            -- for If-Match
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, owner_id) REFERENCES staff (organization_id, id)
);
