//! Conversations: one patient's thread on one number.

use anteroom_model::{
    ids::{ConversationId, FacilityId, NumberId, OrganizationId, PatientId, StaffId, TeamId},
    states::{ConversationState, Identity, Priority},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on, twin},
    sql,
};

/// A conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// The clinic's number.
    pub number_id: NumberId,
    /// The patient's phone number, E.164.
    pub peer: String,
    /// Who it is, as far as known.
    pub patient_id: Option<PatientId>,
    /// How well that is known.
    pub identity: Identity,
    /// Questions asked and answers given in the running verification.
    pub exchanges: Vec<Exchange>,
    /// Open, snoozed or closed.
    pub state: ConversationState,
    /// Who has it; `None`: in the Unassigned queue.
    pub assignee_id: Option<StaffId>,
    /// Which team it was routed to.
    pub team_id: Option<TeamId>,
    /// Which facility it belongs to.
    pub facility_id: Option<FacilityId>,
    /// The organization's own word.
    pub category: Option<String>,
    /// How urgent.
    pub priority: Priority,
    /// Set by routing and staff.
    pub tags: Vec<String>,
    /// Which of `category`, `priority` and `tags` staff have set since it was opened: routing heeds it.
    pub staff_set: Vec<String>,
    /// Texts since it was opened.
    pub turn_number: i32,
    /// When the oldest text that nobody answered came in.
    pub waiting_since: Option<Timestamp>,
    /// Of either direction.
    pub last_message_at: Timestamp,
    /// When it comes back.
    pub snoozed_until: Option<Timestamp>,
    /// Closed with the wish that a new text comes back to whoever had it.
    pub reopens_to_assignee: bool,
    /// When the first text came.
    pub created_at: Timestamp,
    /// Grows with every change.
    pub version: i64,
}

impl Conversation {
    /// Tags at most.
    pub const MOST_TAGS: usize = 20;

    /// What a first text from `peer` (E.164) begins; open, unassigned, nothing known.
    pub fn begin(
        id: ConversationId,
        number: NumberId,
        facility: Option<FacilityId>,
        peer: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            number_id: number,
            peer: peer.to_owned(),
            patient_id: None,
            identity: Identity::Unasked,
            exchanges: Vec::new(),
            state: ConversationState::Open,
            assignee_id: None,
            team_id: None,
            facility_id: facility,
            category: None,
            priority: Priority::Normal,
            tags: Vec::new(),
            staff_set: Vec::new(),
            turn_number: 0,
            waiting_since: None,
            last_message_at: now,
            snoozed_until: None,
            reopens_to_assignee: false,
            created_at: now,
            version: 1,
        }
    }
}

/// One question of a verification and its answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The policy's name for the question.
    pub question: String,
    /// What was sent.
    pub prompt: String,
    /// What came back.
    pub answer: Option<String>,
}

/// The outcome of storing a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationChange {
    /// Stored; the conversation's version grew by one.
    Stored,
    /// Somebody else stored a change since it was read.
    Outdated,
}

#[derive(FromRow)]
pub(crate) struct ConversationRow {
    id: ConversationId,
    number_id: NumberId,
    peer: Vec<u8>,
    patient_id: Option<PatientId>,
    identity: Identity,
    exchanges: Option<Vec<u8>>,
    state: ConversationState,
    assignee_id: Option<StaffId>,
    team_id: Option<TeamId>,
    facility_id: Option<FacilityId>,
    category: Option<String>,
    priority: Priority,
    tags: Json<Vec<String>>,
    turn_number: i32,
    waiting_since: Option<Timestamp>,
    last_message_at: Timestamp,
    snoozed_until: Option<Timestamp>,
    created_at: Timestamp,
    version: i64,
    reopens_to_assignee: bool,
    staff_set: Json<Vec<String>>,
}

impl Store {
    /// Conversations whose snooze has ended, at most a hundred.
    pub async fn due_snoozed(&self) -> Result<Vec<(OrganizationId, ConversationId)>, StoreError> {
        let (mut conn, now) = (self.reader().await?, self.now());
        Ok(on!(&mut conn, c => {
            sqlx::query_as(sql!("conversations/due_snoozed")).bind(now).fetch_all(c).await?
        }))
    }
}

impl Org<'_> {
    /// Stores a conversation that was begun with [`Conversation::begin`].
    pub async fn insert_conversation(&mut self, c: &Conversation) -> Result<(), StoreError> {
        let hash = self.keys.lookup("phone", &c.peer);
        let sealed = self.keys.seal("conversations.peer", c.id.0, c.peer.as_bytes())?;
        let exchanges = self.seal_exchanges(c)?;
        execute!(
            self,
            "conversations/insert",
            c.id,
            c.patient_id,
            c.identity,
            exchanges,
            c.state,
            c.assignee_id,
            c.team_id,
            c.facility_id,
            c.category.as_deref(),
            c.priority,
            Json(&c.tags),
            c.turn_number,
            c.waiting_since,
            c.last_message_at,
            c.snoozed_until,
            c.version,
            c.number_id,
            hash,
            sealed,
            c.created_at,
            c.reopens_to_assignee,
            Json(&c.staff_set),
        );
        self.note_tags(c.id, &[], &c.tags).await
    }

    fn seal_exchanges(&self, c: &Conversation) -> Result<Option<Vec<u8>>, StoreError> {
        let asked = (!c.exchanges.is_empty()).then_some(&c.exchanges);
        asked.map(|asked| self.keys.seal_json("conversations.exchanges", c.id.0, asked)).transpose()
    }

    /// One conversation.
    pub async fn conversation(&mut self, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
        let row = fetch_optional!(self, ConversationRow, "conversations/get", id);
        row.map(|row| self.open_conversation(row)).transpose()
    }

    /// One conversation, locked until the end of this unit of work: whoever else wants to change it waits, and
    /// then reads what became of it.
    pub async fn conversation_to_change(
        &mut self,
        id: ConversationId,
    ) -> Result<Option<Conversation>, StoreError> {
        let organization = self.organization;
        let query = self.conn().pick(twin!("conversations/get_to_change"));
        let row: Option<ConversationRow> = on!(self.conn(), c => {
            sqlx::query_as(query).bind(organization).bind(id).fetch_optional(c).await?
        });
        row.map(|row| self.open_conversation(row)).transpose()
    }

    /// The conversation of `peer` (E.164) on `number`.
    pub async fn conversation_with(
        &mut self,
        number: NumberId,
        peer: &str,
    ) -> Result<Option<Conversation>, StoreError> {
        let hash = self.keys.lookup("phone", peer);
        let row = fetch_optional!(self, ConversationRow, "conversations/by_peer", number, hash);
        row.map(|row| self.open_conversation(row)).transpose()
    }

    /// Stores `conversation` if nobody has changed it since it was read, and raises its version.
    pub async fn update_conversation(
        &mut self,
        conversation: &mut Conversation,
    ) -> Result<ConversationChange, StoreError> {
        let c = &*conversation;
        let exchanges = self.seal_exchanges(c)?;
        let changed = execute!(
            self,
            "conversations/update",
            c.id,
            c.patient_id,
            c.identity,
            exchanges,
            c.state,
            c.assignee_id,
            c.team_id,
            c.facility_id,
            c.category.as_deref(),
            c.priority,
            Json(&c.tags),
            c.turn_number,
            c.waiting_since,
            c.last_message_at,
            c.snoozed_until,
            c.version,
            c.reopens_to_assignee,
            Json(&c.staff_set),
        );
        if changed == 0 {
            return Ok(ConversationChange::Outdated);
        }
        let noted = fetch_all!(self, (String,), "conversations/tags_of", c.id);
        let noted: Vec<_> = noted.into_iter().map(|(tag,)| tag).collect();
        self.note_tags(c.id, &noted, &c.tags).await?;
        conversation.version += 1;
        Ok(ConversationChange::Stored)
    }

    /// Keeps `conversation_tags` as the conversation's own list is.
    async fn note_tags(
        &mut self,
        id: ConversationId,
        noted: &[String],
        tags: &[String],
    ) -> Result<(), StoreError> {
        for tag in noted.iter().filter(|tag| !tags.contains(tag)) {
            execute!(self, "conversations/untag", id, tag);
        }
        for tag in tags.iter().filter(|tag| !noted.contains(tag)) {
            execute!(self, "conversations/tag", id, tag);
        }
        Ok(())
    }

    /// Tags that conversations have, in the order of their letters, at most `limit`.
    pub async fn tags_in_use(&mut self, limit: u32) -> Result<Vec<String>, StoreError> {
        let found = fetch_all!(self, (String,), "conversations/tags_in_use", i64::from(limit));
        Ok(found.into_iter().map(|(tag,)| tag).collect())
    }

    /// Categories that conversations have, in the order of their letters, at most `limit`.
    pub async fn categories_in_use(&mut self, limit: u32) -> Result<Vec<String>, StoreError> {
        let found = fetch_all!(self, (String,), "conversations/categories_in_use", i64::from(limit));
        Ok(found.into_iter().map(|(category,)| category).collect())
    }

    pub(crate) fn open_conversation(&self, row: ConversationRow) -> Result<Conversation, StoreError> {
        let exchanges = match &row.exchanges {
            Some(sealed) => self.keys.open_json("conversations.exchanges", row.id.0, sealed)?,
            None => Vec::new(),
        };
        Ok(Conversation {
            peer: self.keys.open_text("conversations.peer", row.id.0, &row.peer)?,
            id: row.id,
            number_id: row.number_id,
            patient_id: row.patient_id,
            identity: row.identity,
            exchanges,
            state: row.state,
            assignee_id: row.assignee_id,
            team_id: row.team_id,
            facility_id: row.facility_id,
            category: row.category,
            priority: row.priority,
            tags: row.tags.0,
            staff_set: row.staff_set.0,
            turn_number: row.turn_number,
            waiting_since: row.waiting_since,
            last_message_at: row.last_message_at,
            snoozed_until: row.snoozed_until,
            reopens_to_assignee: row.reopens_to_assignee,
            created_at: row.created_at,
            version: row.version,
        })
    }
}
