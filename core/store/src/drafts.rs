//! What somebody is writing in a conversation and has not sent: theirs alone, on whatever computer.

use anteroom_model::{
    ids::{ConversationId, StaffId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_optional},
};

/// What is written and not sent.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// To the patient.
    pub reply: String,
    /// To colleagues.
    pub note: String,
    /// Variables of a saved reply that are still to be filled by hand.
    pub missing: Vec<String>,
}

impl Draft {
    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.reply.is_empty() && self.note.is_empty()
    }
}

#[derive(FromRow)]
struct DraftRow {
    content: Vec<u8>,
    updated_at: Timestamp,
}

impl Org<'_> {
    /// What `staff` is writing in `conversation`, and since when it is so.
    pub async fn draft(
        &mut self,
        staff: StaffId,
        conversation: ConversationId,
    ) -> Result<Option<(Draft, Timestamp)>, StoreError> {
        let Some(row) = fetch_optional!(self, DraftRow, "drafts/get", staff, conversation) else {
            return Ok(None);
        };
        let draft = self.keys.open_json("drafts.content", cell(staff, conversation), &row.content)?;
        Ok(Some((draft, row.updated_at)))
    }

    /// Keeps it, in the place of what was kept before.
    pub async fn put_draft(
        &mut self,
        staff: StaffId,
        conversation: ConversationId,
        draft: &Draft,
    ) -> Result<(), StoreError> {
        let sealed = self.keys.seal_json("drafts.content", cell(staff, conversation), draft)?;
        let now = self.now;
        execute!(self, "drafts/put", staff, conversation, sealed, now);
        Ok(())
    }

    /// Drops it; whether there was one.
    pub async fn delete_draft(
        &mut self,
        staff: StaffId,
        conversation: ConversationId,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "drafts/delete", staff, conversation) > 0)
    }
}

/// Drafts have no id of their own: both parts of their key together stand in as the row that a cell is bound to.
fn cell(staff: StaffId, conversation: ConversationId) -> Uuid {
    Uuid::from_u128(staff.0.as_u128() ^ conversation.0.as_u128())
}
