//! Internal notes on conversations.

use anteroom_model::{
    ids::{ConversationId, NoteId, StaffId},
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Org, StoreError,
    conn::{execute, fetch_all, fetch_optional},
};

/// An internal note.
#[derive(Clone)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// Who wrote it.
    pub author_id: StaffId,
    /// The text.
    pub body: String,
    /// When.
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct NoteRow {
    id: NoteId,
    author_id: StaffId,
    body: Vec<u8>,
    created_at: Timestamp,
}

impl Org<'_> {
    /// Adds a note.
    pub async fn insert_note(
        &mut self,
        conversation: ConversationId,
        author: StaffId,
        body: &str,
    ) -> Result<Note, StoreError> {
        let (id, now): (NoteId, _) = (self.new_id(), self.now);
        let sealed = self.keys.seal("notes.body", id.0, body.as_bytes())?;
        execute!(self, "notes/insert", id, conversation, author, sealed, now);
        Ok(Note { id, author_id: author, body: body.to_owned(), created_at: now })
    }

    /// One note.
    pub async fn note(&mut self, id: NoteId) -> Result<Option<Note>, StoreError> {
        let row = fetch_optional!(self, NoteRow, "notes/get", id);
        row.map(|row| self.open_note(&row)).transpose()
    }

    /// Notes before `before`, newest first, at most `limit`.
    pub async fn notes(
        &mut self,
        conversation: ConversationId,
        before: NoteId,
        limit: u32,
    ) -> Result<Vec<Note>, StoreError> {
        let rows = fetch_all!(self, NoteRow, "notes/of_conversation", conversation, before, i64::from(limit));
        rows.iter().map(|row| self.open_note(row)).collect()
    }

    fn open_note(&self, row: &NoteRow) -> Result<Note, StoreError> {
        let body = self.keys.open_text("notes.body", row.id.0, &row.body)?;
        Ok(Note { id: row.id, author_id: row.author_id, body, created_at: row.created_at })
    }
}
