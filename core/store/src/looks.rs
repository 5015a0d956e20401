//! How far each member of staff has read each conversation, and what of it is new to them.

use std::fmt::Write as _;

use anteroom_model::ids::{ConversationId, MessageId, StaffId};
use sqlx::{AssertSqlSafe, FromRow};

use crate::{
    Org, StoreError,
    conn::{execute, on},
    sql,
};

/// Conversations asked about at once come in these numbers, so that there are few statements to prepare.
const SIZES: [usize; 3] = [1, 50, 200];

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
        let most = SIZES.iter().copied().find(|size| *size >= conversations.len());
        let places = most.unwrap_or(conversations.len());
        let mut text = sql!("looks/marks").trim_end().to_owned();
        for place in 0..places {
            let comma = if place == 0 { "" } else { ", " };
            // A string takes all that is written to it.
            write!(text, "{comma}${}", place + 4).unwrap_or_default();
        }
        text.push(')');
        let ids = conversations.iter().copied().chain(std::iter::repeat(ConversationId::LEAST)).take(places);
        let organization = self.organization;
        Ok(on!(self.conn(), c => {
            let mut query = sqlx::query_as(AssertSqlSafe(text)).bind(organization).bind(staff).bind(MessageId::LEAST);
            for id in ids {
                query = query.bind(id);
            }
            query.fetch_all(c).await?
        }))
    }
}
