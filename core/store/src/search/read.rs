//! Opening what can be found: texts, notes and conversations by their ids, many at once.

use std::collections::HashMap;

use anteroom_model::{
    ids::{ConversationId, MessageId, NoteId, NumberId, StaffId},
    states::{Author, Direction},
    time::Timestamp,
};
use sqlx::{FromRow, Postgres, QueryBuilder, Sqlite};
use uuid::Uuid;

use super::{Item, ItemId};
use crate::{Org, StoreError, conn::Conn, sql};

/// Rows of one statement. Fewer are filled up by repeating the last, so that statements are few and prepared once.
pub(super) const ROWS: usize = 128;
const FEW_ROWS: usize = 16;

/// A text, opened.
pub(super) struct Text {
    pub(super) id: MessageId,
    pub(super) conversation: ConversationId,
    pub(super) direction: Direction,
    pub(super) author: Author,
    pub(super) author_id: Option<StaffId>,
    pub(super) body: String,
    pub(super) at: Timestamp,
}

/// A note, opened.
pub(super) struct NoteText {
    pub(super) id: NoteId,
    pub(super) conversation: ConversationId,
    pub(super) author_id: StaffId,
    pub(super) body: String,
    pub(super) at: Timestamp,
}

/// Whose conversation on which number.
pub(super) struct Peer {
    pub(super) conversation: ConversationId,
    pub(super) number: NumberId,
    pub(super) phone: String,
    pub(super) at: Timestamp,
}

pub(super) enum Opened {
    Text(Text),
    Note(NoteText),
    Peer(Peer),
}

#[derive(FromRow)]
struct TextRow {
    id: MessageId,
    conversation_id: Option<ConversationId>,
    direction: Direction,
    author: Author,
    author_id: Option<StaffId>,
    body: Vec<u8>,
    created_at: Timestamp,
}

#[derive(FromRow)]
struct NoteRow {
    id: NoteId,
    conversation_id: ConversationId,
    author_id: StaffId,
    body: Vec<u8>,
    created_at: Timestamp,
}

#[derive(FromRow)]
struct PeerRow {
    id: ConversationId,
    number_id: NumberId,
    peer: Vec<u8>,
    created_at: Timestamp,
}

/// Reads the rows of ids as `$row`, with the beginning of a statement.
macro_rules! by_ids {
    ($org:expr, $row:ty, $sql:literal, $ids:expr) => {{
        let organization = $org.organization;
        let mut rows: Vec<$row> = Vec::new();
        macro_rules! fetch {
            ($engine:ty, $c:expr, $chunk:expr) => {{
                let mut query = QueryBuilder::<$engine>::new(sql!($sql));
                query.push_values($chunk, |mut values, id: Uuid| {
                    values.push_bind(organization).push_bind(id);
                });
                query.push(")");
                rows.extend(query.build_query_as::<$row>().fetch_all(&mut **$c).await?);
            }};
        }
        for chunk in $ids.chunks(ROWS) {
            let size = if chunk.len() > FEW_ROWS { ROWS } else { FEW_ROWS };
            let last = chunk.last().copied().into_iter().cycle();
            let chunk = chunk.iter().copied().chain(last).take(size);
            match $org.conn() {
                Conn::Sqlite(c) => fetch!(Sqlite, c, chunk),
                Conn::Postgres(c) => fetch!(Postgres, c, chunk),
            }
        }
        rows
    }};
}

impl Org<'_> {
    /// Opens those of `items` that are there, in their order; texts that belong nowhere are left out.
    pub(super) async fn open_items(&mut self, items: &[Item]) -> Result<Vec<(Item, Opened)>, StoreError> {
        let ids = |of: fn(&ItemId) -> Option<Uuid>| -> Vec<Uuid> {
            items.iter().filter_map(|item| of(&item.id)).collect()
        };
        let texts = ids(|id| if let ItemId::Message(id) = id { Some(id.0) } else { None });
        let notes = ids(|id| if let ItemId::Note(id) = id { Some(id.0) } else { None });
        let peers = ids(|id| if let ItemId::Conversation(id) = id { Some(id.0) } else { None });
        let mut opened: HashMap<Uuid, Opened> = HashMap::with_capacity(items.len());
        for row in by_ids!(self, TextRow, "search/messages", texts) {
            let Some(conversation) = row.conversation_id else { continue };
            let text = Text {
                id: row.id,
                conversation,
                direction: row.direction,
                author: row.author,
                author_id: row.author_id,
                body: self.keys.open_text("messages.body", row.id.0, &row.body)?,
                at: row.created_at,
            };
            opened.insert(row.id.0, Opened::Text(text));
        }
        for row in by_ids!(self, NoteRow, "search/notes", notes) {
            let note = NoteText {
                id: row.id,
                conversation: row.conversation_id,
                author_id: row.author_id,
                body: self.keys.open_text("notes.body", row.id.0, &row.body)?,
                at: row.created_at,
            };
            opened.insert(row.id.0, Opened::Note(note));
        }
        for row in by_ids!(self, PeerRow, "search/conversations", peers) {
            let peer = Peer {
                conversation: row.id,
                number: row.number_id,
                phone: self.keys.open_text("conversations.peer", row.id.0, &row.peer)?,
                at: row.created_at,
            };
            opened.insert(row.id.0, Opened::Peer(peer));
        }
        let id = |item: &Item| match item.id {
            ItemId::Message(id) => id.0,
            ItemId::Note(id) => id.0,
            ItemId::Conversation(id) => id.0,
        };
        Ok(items.iter().filter_map(|item| Some((*item, opened.remove(&id(item))?))).collect())
    }
}
