//! Pieces of long texts: each is stored as it comes, and told by one message once they are together.

use anteroom_model::{
    ids::{MessageId, NodeId, NumberId},
    segments::segments,
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Extra, Org, StoreError,
    conn::{execute, fetch_all},
    messages::open_extra,
};

/// A text that waits in a lane.
#[derive(Clone)]
pub struct WaitingText {
    /// Its id.
    pub id: MessageId,
    /// The text.
    pub body: String,
    /// Media and the like; which piece it is.
    pub extra: Extra,
}

#[derive(FromRow)]
struct Row {
    id: MessageId,
    body: Vec<u8>,
    extra: Option<Vec<u8>>,
}

impl Org<'_> {
    /// What waits in the lane of `peer` on `number` behind `after`, in the order of arrival.
    pub async fn waiting_in_lane(
        &mut self,
        number: NumberId,
        peer: &str,
        after: MessageId,
    ) -> Result<Vec<WaitingText>, StoreError> {
        let hash = self.keys.lookup("phone", peer);
        let rows = fetch_all!(self, Row, "messages/in_lane", number, hash, after);
        rows.into_iter()
            .map(|row| {
                Ok(WaitingText {
                    body: self.keys.open_text("messages.body", row.id.0, &row.body)?,
                    extra: open_extra(&self.keys, row.id, row.extra.as_deref())?,
                    id: row.id,
                })
            })
            .collect()
    }

    /// Gives the message leased to `node` the text that `pieces` make with it; they are told by it from now on.
    /// `false`: the lease is lost or a piece is worked on, and everything of this unit of work must be taken back.
    pub async fn join_inbound(
        &mut self,
        id: MessageId,
        node: NodeId,
        (body, extra): (&str, &Extra),
        pieces: &[MessageId],
    ) -> Result<bool, StoreError> {
        let now = self.now;
        let sealed = self.keys.seal("messages.body", id.0, body.as_bytes())?;
        let extra =
            if extra.is_empty() { None } else { Some(self.keys.seal_json("messages.extra", id.0, extra)?) };
        let count = i32::try_from(segments(body).segments).unwrap_or(i32::MAX);
        if execute!(self, "messages/joined_body", id, node, sealed, extra, count) == 0 {
            return Ok(false);
        }
        for piece in pieces {
            if execute!(self, "messages/join_inbound", *piece, now) == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives an inbound message back until `due_at`: the rest of its text is on its way. It is no failed attempt.
    pub async fn wait_inbound(
        &mut self,
        id: MessageId,
        node: NodeId,
        due_at: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "messages/wait_inbound", id, node, due_at) > 0)
    }
}
