//! How far each member of staff has read each conversation, and what of it is new to them.

use anteroom_model::ids::{ConversationId, MessageId, StaffId};
use sqlx::FromRow;

use crate::{Org, StoreError, among::fetch_among, conn::execute};

/// What a conversation is to one member of staff.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Marks {
    /// Which conversation.
    pub id: ConversationId,
    /// The newest text that they have seen; `None`: they never looked.
    pub seen: Option<MessageId>,
    /// Texts of the patient since then. Where they never looked: those that wait for an answer. At most 50.
    pub unread: i64,
    /// They have something written and not sent.
    pub draft: bool,
    /// A note in it names them, and they have not seen it.
    pub mentioned: bool,
}

impl Org<'_> {
    /// `staff` has seen everything up to `message`. One who has seen more already stays there.
    pub async fn look(
        &mut self,
        staff: StaffId,
        conversation: ConversationId,
        message: MessageId,
    ) -> Result<(), StoreError> {
        execute!(self, "looks/put", staff, conversation, message);
        Ok(())
    }

    /// What each of `conversations` is to `staff`, in one query; in no order.
    pub async fn marks(
        &mut self,
        staff: StaffId,
        conversations: &[ConversationId],
    ) -> Result<Vec<Marks>, StoreError> {
        if conversations.is_empty() {
            return Ok(Vec::new());
        }
        Ok(fetch_among!(self, Marks, "looks/marks", staff, MessageId::LEAST; conversations))
    }
}
