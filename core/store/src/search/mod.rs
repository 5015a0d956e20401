//! Search across texts and notes, and by the phones and numbers of conversations.
//!
//! Bodies are sealed, so an index of their words is kept beside them. Nothing is written where texts come in or go
//! out: the events that tell of them are read later, about a thousand at a time, and made into a segment
//! (`build.rs`). What no segment covers yet is opened and read by the search itself (`find.rs`), newest first, so
//! a text is found as soon as it is there.
//!
//! A segment's words are divided into [`block::BUCKETS`] blocks by a keyed hash of their first letters, and each block
//! is sealed as a whole: whoever has the database and not the key learns neither words nor which recur.

mod block;
mod build;
mod find;
mod read;

pub use build::TextsToIndex;
pub use find::{TextFilter, TextFound, TextHit, TextPage, TextSearch};

use anteroom_model::ids::{ConversationId, MessageId, NoteId, NumberId};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Org, StoreError, events};

/// Texts and notes of a segment at most: as many as a [`block::Places`] has room for.
const SEGMENT: u16 = 1_024;
/// Events of a segment at most, however few of them a text came with.
const SPAN: i64 = 8_192;

/// Something that can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Item {
    /// The event that told of it.
    seq: i64,
    id: ItemId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ItemId {
    Message(MessageId),
    Note(NoteId),
    /// Found by its patient's phone and by its number.
    Conversation(ConversationId),
}

/// What a conversation is found by besides its texts. No word of a text begins so.
fn phone_word(tail: &str) -> String {
    format!("#{tail}")
}

fn number_word(number: NumberId) -> String {
    format!("@{}", number.0.simple())
}

/// An event that something came with.
#[derive(FromRow)]
struct ItemRow {
    seq: i64,
    kind: String,
    conversation_id: ConversationId,
    data: Vec<u8>,
}

#[derive(Deserialize)]
struct ItemData {
    message_id: Option<MessageId>,
    note_id: Option<NoteId>,
}

impl Org<'_> {
    /// What came with an event; `None` where it doesn't say.
    fn open_item(&self, row: &ItemRow) -> Result<Option<Item>, StoreError> {
        let id = if row.kind == "conversation.opened" {
            Some(ItemId::Conversation(row.conversation_id))
        } else {
            let data: ItemData = self.keys.open_json("events.data", events::row(row.seq), &row.data)?;
            data.message_id.map(ItemId::Message).or_else(|| data.note_id.map(ItemId::Note))
        };
        Ok(id.map(|id| Item { seq: row.seq, id }))
    }
}

/// Segments have no id of their own: their first event's number stands in as the row that a cell is bound to.
fn segment_row(segment: i64) -> Uuid {
    Uuid::from_u64_pair(0, segment.unsigned_abs())
}

fn block_row(bucket: u8, segment: i64) -> Uuid {
    Uuid::from_u64_pair(u64::from(bucket), segment.unsigned_abs())
}
