//! What happened, append-only, with a gapless sequence per organization: SSE and timelines read it.

use anteroom_model::{
    ids::{ConversationId, StaffId},
    states::Author,
    time::Timestamp,
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    Org, StoreError,
    conn::{fetch_all, fetch_optional},
};

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The person texting.
    Patient,
    /// A member of staff.
    Staff(StaffId),
    /// A policy.
    Policy,
    /// Anteroom itself.
    Host,
}

impl Actor {
    pub(crate) fn parts(self) -> (Author, Option<StaffId>) {
        match self {
            Self::Patient => (Author::Patient, None),
            Self::Staff(id) => (Author::Staff, Some(id)),
            Self::Policy => (Author::Policy, None),
            Self::Host => (Author::Host, None),
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Position in the organization's sequence.
    pub seq: i64,
    /// For example `conversation.accepted`.
    pub kind: String,
    /// Which conversation.
    pub conversation_id: Option<ConversationId>,
    /// What kind of actor.
    pub actor: Author,
    /// Which member of staff.
    pub actor_id: Option<StaffId>,
    /// Depends on the kind.
    pub data: serde_json::Value,
    /// When.
    pub created_at: Timestamp,
}

/// Something to be told.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// For example `conversation.accepted`.
    pub kind: &'static str,
    /// Which conversation.
    pub conversation_id: Option<ConversationId>,
    /// Who did it.
    pub actor: Actor,
    /// Depends on the kind.
    pub data: serde_json::Value,
}

#[derive(FromRow)]
struct EventRow {
    seq: i64,
    kind: String,
    conversation_id: Option<ConversationId>,
    actor: Author,
    actor_id: Option<StaffId>,
    data: Vec<u8>,
    created_at: Timestamp,
}

impl Org<'_> {
    /// Appends an event when this unit of work is committed; then listeners are woken.
    pub fn tell(&self, event: NewEvent) {
        self.work.tell(event);
    }

    /// Events after `seq`, in order.
    pub async fn events_after(&mut self, seq: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let rows = fetch_all!(self, EventRow, "events/after", seq, i64::from(limit));
        rows.into_iter().map(|row| self.open_event(row)).collect()
    }

    /// Events of a conversation before `before`, newest first.
    pub async fn events_of(
        &mut self,
        conversation: ConversationId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let rows =
            fetch_all!(self, EventRow, "events/of_conversation", conversation, before, i64::from(limit));
        rows.into_iter().map(|row| self.open_event(row)).collect()
    }

    /// The first sequence number kept (0 if none) and the last one given out.
    pub async fn event_bounds(&mut self) -> Result<(i64, i64), StoreError> {
        Ok(fetch_optional!(self, (i64, i64), "events/bounds").unwrap_or((0, 0)))
    }

    fn open_event(&self, event: EventRow) -> Result<Event, StoreError> {
        Ok(Event {
            data: self.keys.open_json("events.data", row(event.seq), &event.data)?,
            seq: event.seq,
            kind: event.kind,
            conversation_id: event.conversation_id,
            actor: event.actor,
            actor_id: event.actor_id,
            created_at: event.created_at,
        })
    }
}

/// Events have no id of their own: the sequence number stands in as the row that a cell is bound to.
pub(crate) fn row(seq: i64) -> Uuid {
    Uuid::from_u64_pair(0, seq.unsigned_abs())
}
