//! Who was named in a note, and whether they have seen it.

use anteroom_model::{
    ids::{ConversationId, NoteId, StaffId},
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

/// Somebody was named in a note.
#[derive(Clone, Debug, FromRow)]
pub struct Mention {
    /// Where.
    pub note_id: NoteId,
    /// The note's conversation.
    pub conversation_id: ConversationId,
    /// When they saw it.
    pub read_at: Option<Timestamp>,
}

impl Org<'_> {
    /// Notes that `staff` is named in `note`.
    pub async fn insert_mention(
        &mut self,
        staff: StaffId,
        note: NoteId,
        conversation: ConversationId,
    ) -> Result<(), StoreError> {
        execute!(self, "mentions/insert", staff, note, conversation);
        Ok(())
    }

    /// Mentions of `staff` in notes before `before`, newest first, at most `limit`; all, or only unread ones.
    pub async fn mentions(
        &mut self,
        staff: StaffId,
        before: NoteId,
        unread: bool,
        limit: u32,
    ) -> Result<Vec<Mention>, StoreError> {
        Ok(fetch_all!(self, Mention, "mentions/list", staff, before, unread, i64::from(limit)))
    }

    /// How many `staff` has not seen.
    pub async fn unread_mentions(&mut self, staff: StaffId) -> Result<i64, StoreError> {
        Ok(fetch_optional!(self, (i64,), "mentions/count_unread", staff).map_or(0, |(count,)| count))
    }

    /// `staff` has seen those in `conversation`, or all; how many were new to them.
    pub async fn read_mentions(
        &mut self,
        staff: StaffId,
        conversation: Option<ConversationId>,
    ) -> Result<u64, StoreError> {
        let now = self.now;
        if let Some(id) = conversation {
            return Ok(execute!(self, "mentions/read_of", staff, id, now));
        }
        Ok(execute!(self, "mentions/read_all", staff, now))
    }
}
