//! Messages: texts in and out.

use anteroom_model::{
    ids::{CarrierAccountId, ConversationId, MessageId, NumberId, StaffId},
    parts::TextPart,
    segments::segments,
    states::{Author, Direction, MessageState},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

/// Messages that a look far back reads at once.
const MOST_BACK: i64 = 1_000;

/// A picture or document of a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaItem {
    /// The carrier's link.
    pub url: String,
    /// As the carrier says it.
    pub content_type: Option<String>,
}

/// What else belongs to a message; sealed as one JSON text.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extra {
    /// Pictures and documents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<MediaItem>,
    /// `stop`, `start` or `help`: the carrier took the text for that and has answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_keyword: Option<String>,
    /// Of an automatic reply: under which key it is throttled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle_key: Option<String>,
    /// Which piece of a longer text it is, until that is joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<TextPart>,
    /// Uploads go with it: rows of `media` say which.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_uploads: bool,
    /// Of a text that no webhook told of: `list` where it was found in the carrier's list, `list_wordless` where that
    /// keeps no words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl Extra {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A message as people see it.
#[derive(Clone)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// From or to the patient.
    pub direction: Direction,
    /// Which account carried it.
    pub carrier_account_id: CarrierAccountId,
    /// The clinic's number.
    pub number_id: NumberId,
    /// The patient's phone number, E.164.
    pub peer: String,
    /// The text.
    pub body: String,
    /// Media and the like.
    pub extra: Extra,
    /// The carrier's id, once known.
    pub carrier_message_id: Option<String>,
    /// Where it belongs; none while it waits, or where patients may not start a conversation.
    pub conversation_id: Option<ConversationId>,
    /// Who wrote it.
    pub author: Author,
    /// Which member of staff.
    pub author_id: Option<StaffId>,
    /// How far it has come.
    pub state: MessageState,
    /// How often it was tried.
    pub attempt: i32,
    /// Parts it is billed as.
    pub segments: i32,
    /// The carrier's code for a failure.
    pub error_code: Option<String>,
    /// The failure in staff's words.
    pub error_text: Option<String>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When a carrier took it.
    pub sent_at: Option<Timestamp>,
    /// When it was delivered or failed.
    pub finished_at: Option<Timestamp>,
}

/// A message to be sent.
#[derive(Clone)]
pub struct NewOutbound {
    /// Through which account.
    pub carrier_account_id: CarrierAccountId,
    /// From which number.
    pub number_id: NumberId,
    /// To whom, E.164.
    pub peer: String,
    /// The text.
    pub body: String,
    /// Throttle key and the like.
    pub extra: Extra,
    /// The conversation, if there is one.
    pub conversation_id: Option<ConversationId>,
    /// Who wrote it.
    pub author: Author,
    /// Which member of staff.
    pub author_id: Option<StaffId>,
    /// The one confirmation of a STOP, or the answer to HELP.
    pub despite_opt_out: bool,
}

/// By what a receipt names its message.
#[derive(Clone, Debug)]
pub enum ReceiptMatch {
    /// Our id, which we gave the carrier with the status URL.
    Ours(MessageId),
    /// The carrier's id.
    Carriers(String),
}

#[derive(FromRow)]
pub(crate) struct MessageRow {
    id: MessageId,
    direction: Direction,
    carrier_account_id: CarrierAccountId,
    number_id: NumberId,
    peer: Vec<u8>,
    body: Vec<u8>,
    extra: Option<Vec<u8>>,
    carrier_message_id: Option<String>,
    conversation_id: Option<ConversationId>,
    author: Author,
    author_id: Option<StaffId>,
    state: MessageState,
    attempt: i32,
    segments: i32,
    error_code: Option<String>,
    error_text: Option<String>,
    created_at: Timestamp,
    sent_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

pub(crate) fn open_extra(
    keys: &crate::OrgKeys,
    id: MessageId,
    sealed: Option<&[u8]>,
) -> Result<Extra, StoreError> {
    sealed.map_or_else(|| Ok(Extra::default()), |sealed| keys.open_json("messages.extra", id.0, sealed))
}

impl Org<'_> {
    /// Queues a message to be sent.
    pub async fn insert_outbound(&mut self, new: &NewOutbound) -> Result<MessageId, StoreError> {
        let id: MessageId = self.new_id();
        self.insert_outbound_as(id, new).await?;
        Ok(id)
    }

    /// Queues a message to be sent, with an id chosen before.
    pub async fn insert_outbound_as(&mut self, id: MessageId, new: &NewOutbound) -> Result<(), StoreError> {
        let (keys, now) = (self.keys.clone(), self.now);
        let hash = keys.lookup("phone", &new.peer);
        let peer = keys.seal("messages.peer", id.0, new.peer.as_bytes())?;
        let body = keys.seal("messages.body", id.0, new.body.as_bytes())?;
        let extra = if new.extra.is_empty() {
            None
        } else {
            Some(keys.seal_json("messages.extra", id.0, &new.extra)?)
        };
        execute!(
            self,
            "messages/insert_outbound",
            id,
            new.carrier_account_id,
            new.number_id,
            hash,
            peer,
            body,
            extra,
            new.conversation_id,
            new.author,
            new.author_id,
            now,
            new.despite_opt_out,
            i32::try_from(segments(&new.body).segments).unwrap_or(i32::MAX),
            now,
        );
        self.work.queued_outbound();
        Ok(())
    }

    /// The message that a receipt from `account` is about.
    pub async fn message_of_receipt(
        &mut self,
        account: CarrierAccountId,
        by: &ReceiptMatch,
    ) -> Result<Option<Message>, StoreError> {
        match by {
            ReceiptMatch::Ours(id) => {
                let message = self.message(*id).await?;
                Ok(message.filter(|message| message.carrier_account_id == account))
            }
            ReceiptMatch::Carriers(id) => {
                let row = fetch_optional!(self, MessageRow, "messages/by_carrier_id", account, id);
                row.map(|row| self.open_message(row)).transpose()
            }
        }
    }

    /// Moves an outbound message from the state it was read in to `next`. `false`: it has moved meanwhile.
    pub async fn apply_receipt(
        &mut self,
        message: &Message,
        next: MessageState,
        error: Option<(&str, &str)>,
        carrier_message_id: &str,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        let (code, text) = error.unzip();
        let finished = (next != MessageState::Sent).then_some(now);
        let id = message.id;
        execute!(self, "messages/learn_carrier_id", id, carrier_message_id);
        let moved =
            execute!(self, "messages/apply_receipt", id, next, code, text, now, finished, message.state);
        Ok(moved > 0)
    }

    /// Queues a failed, blocked or unknown message again, on a person's word.
    pub async fn retry_outbound(&mut self, id: MessageId) -> Result<bool, StoreError> {
        let now = self.now;
        self.work.queued_outbound();
        Ok(execute!(self, "messages/retry", id, now) > 0)
    }

    /// Works off a dead or held message again, on a person's word.
    pub async fn retry_inbound(&mut self, id: MessageId) -> Result<bool, StoreError> {
        let now = self.now;
        self.work.queued_inbound();
        Ok(execute!(self, "messages/retry_inbound", id, now) > 0)
    }

    /// Messages that nobody works on any more and that did not get where they should, or only those in
    /// `state`: dead, held, failed or unknown. Newest first, before `before`.
    pub async fn set_aside(
        &mut self,
        state: Option<MessageState>,
        before: MessageId,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let rows = fetch_all!(self, MessageRow, "messages/set_aside", before, state, i64::from(limit));
        rows.into_iter().map(|row| self.open_message(row)).collect()
    }

    /// Blocks what waits to be sent to somebody who has opted out; gives ids and conversations.
    pub async fn block_queued(
        &mut self,
        peer: &str,
        scope: Option<NumberId>,
        reason: &str,
    ) -> Result<Vec<(MessageId, Option<ConversationId>)>, StoreError> {
        let (hash, now) = (self.keys.lookup("phone", peer), self.now);
        Ok(fetch_all!(
            self,
            (MessageId, Option<ConversationId>),
            "messages/block_queued",
            hash,
            scope,
            now,
            reason
        ))
    }

    /// One message.
    pub async fn message(&mut self, id: MessageId) -> Result<Option<Message>, StoreError> {
        let row = fetch_optional!(self, MessageRow, "messages/get", id);
        row.map(|row| self.open_message(row)).transpose()
    }

    /// Messages of a conversation before `before`, newest first.
    pub async fn messages(
        &mut self,
        conversation: ConversationId,
        before: MessageId,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let rows =
            fetch_all!(self, MessageRow, "messages/of_conversation", conversation, before, i64::from(limit));
        rows.into_iter().map(|row| self.open_message(row)).collect()
    }

    /// Messages of a conversation before `before`, newest first: those back to `back_to`, a thousand at most, and
    /// `more` that came before them. With it, whether there may be older ones.
    pub async fn messages_back_to(
        &mut self,
        conversation: ConversationId,
        before: MessageId,
        back_to: Option<MessageId>,
        more: u32,
    ) -> Result<(Vec<Message>, bool), StoreError> {
        let mut messages = Vec::new();
        if let Some(back_to) = back_to {
            let rows =
                fetch_all!(self, MessageRow, "messages/back_to", conversation, before, back_to, MOST_BACK);
            for row in rows {
                messages.push(self.open_message(row)?);
            }
            if i64::try_from(messages.len()).is_ok_and(|read| read >= MOST_BACK) {
                return Ok((messages, true));
            }
        }
        let oldest = messages.last().map_or(before, |message| message.id);
        let earlier = self.messages(conversation, oldest, more).await?;
        let full = u32::try_from(earlier.len()).is_ok_and(|read| read >= more);
        messages.extend(earlier);
        Ok((messages, full))
    }

    /// Policies' replies in a conversation since `since`, newest first.
    pub async fn automatic_replies(
        &mut self,
        conversation: ConversationId,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let rows = fetch_all!(
            self,
            MessageRow,
            "messages/automatic",
            conversation,
            since,
            i64::from(limit),
            MessageId::GREATEST
        );
        rows.into_iter().map(|row| self.open_message(row)).collect()
    }

    /// When staff wrote in a conversation last.
    pub async fn last_staff_reply(
        &mut self,
        conversation: ConversationId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let row =
            fetch_optional!(self, (Timestamp,), "messages/last_of_staff", conversation, MessageId::GREATEST);
        Ok(row.map(|(at,)| at))
    }

    /// Messages between a phone and a number, newest first: what the phone shows.
    pub async fn messages_of_peer(
        &mut self,
        number: NumberId,
        peer: &str,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let hash = self.keys.lookup("phone", peer);
        let rows = fetch_all!(self, MessageRow, "messages/of_peer", number, hash, i64::from(limit));
        rows.into_iter().map(|row| self.open_message(row)).collect()
    }

    pub(crate) fn open_message(&self, row: MessageRow) -> Result<Message, StoreError> {
        Ok(Message {
            peer: self.keys.open_text("messages.peer", row.id.0, &row.peer)?,
            body: self.keys.open_text("messages.body", row.id.0, &row.body)?,
            extra: open_extra(&self.keys, row.id, row.extra.as_deref())?,
            id: row.id,
            direction: row.direction,
            carrier_account_id: row.carrier_account_id,
            number_id: row.number_id,
            carrier_message_id: row.carrier_message_id,
            conversation_id: row.conversation_id,
            author: row.author,
            author_id: row.author_id,
            state: row.state,
            attempt: row.attempt,
            segments: row.segments,
            error_code: row.error_code,
            error_text: row.error_text,
            created_at: row.created_at,
            sent_at: row.sent_at,
            finished_at: row.finished_at,
        })
    }
}
