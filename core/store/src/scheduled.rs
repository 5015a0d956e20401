//! Texts to be sent later.

use anteroom_model::{
    ids::{ConversationId, MessageId, OrganizationId, ScheduledTextId, StaffId},
    states::{Author, ScheduledState},
    time::Timestamp,
};
use sqlx::FromRow;

use crate::{
    Extra, Org, OrgKeys, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on},
    sql,
};

/// A text that waits for its time.
#[derive(Clone)]
pub struct ScheduledText {
    /// Its id.
    pub id: ScheduledTextId,
    /// Where it belongs.
    pub conversation_id: ConversationId,
    /// The text.
    pub body: String,
    /// Throttle key and the like.
    pub extra: Extra,
    /// Who wrote it.
    pub author: Author,
    /// Which member of staff.
    pub author_id: Option<StaffId>,
    /// When it is due.
    pub send_at: Timestamp,
    /// Whether it still waits.
    pub state: ScheduledState,
    /// The message it became.
    pub message_id: Option<MessageId>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// For If-Match.
    pub version: i64,
}

/// A text to be sent later.
#[derive(Clone)]
pub struct NewScheduledText {
    /// Where it belongs.
    pub conversation_id: ConversationId,
    /// The text.
    pub body: String,
    /// Throttle key and the like.
    pub extra: Extra,
    /// Who wrote it.
    pub author: Author,
    /// Which member of staff.
    pub author_id: Option<StaffId>,
    /// When it is due.
    pub send_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: ScheduledTextId,
    conversation_id: ConversationId,
    body: Vec<u8>,
    extra: Option<Vec<u8>>,
    author: Author,
    author_id: Option<StaffId>,
    send_at: Timestamp,
    state: ScheduledState,
    message_id: Option<MessageId>,
    created_at: Timestamp,
    updated_at: Timestamp,
    version: i64,
}

impl Row {
    fn open(self, keys: &OrgKeys) -> Result<ScheduledText, StoreError> {
        let extra = match &self.extra {
            Some(sealed) => keys.open_json("scheduled_texts.extra", self.id.0, sealed)?,
            None => Extra::default(),
        };
        Ok(ScheduledText {
            body: keys.open_text("scheduled_texts.body", self.id.0, &self.body)?,
            extra,
            id: self.id,
            conversation_id: self.conversation_id,
            author: self.author,
            author_id: self.author_id,
            send_at: self.send_at,
            state: self.state,
            message_id: self.message_id,
            created_at: self.created_at,
            updated_at: self.updated_at,
            version: self.version,
        })
    }
}

/// Texts of one conversation that wait at most.
pub const MOST_SCHEDULED: u32 = 50;

impl Store {
    /// Texts whose time has come, of whatever organization.
    pub async fn due_scheduled(&self) -> Result<Vec<(OrganizationId, ScheduledTextId)>, StoreError> {
        let (mut conn, now) = (self.reader().await?, self.now());
        Ok(on!(&mut conn, c => sqlx::query_as(sql!("scheduled/due")).bind(now).fetch_all(c).await?))
    }
}

impl Org<'_> {
    /// Stores a text for later, with an id chosen before.
    pub async fn schedule_as(
        &mut self,
        id: ScheduledTextId,
        new: &NewScheduledText,
    ) -> Result<(), StoreError> {
        let (keys, now) = (self.keys.clone(), self.now);
        let body = keys.seal("scheduled_texts.body", id.0, new.body.as_bytes())?;
        let extra = if new.extra.is_empty() {
            None
        } else {
            Some(keys.seal_json("scheduled_texts.extra", id.0, &new.extra)?)
        };
        execute!(
            self,
            "scheduled/insert",
            id,
            new.conversation_id,
            body,
            extra,
            new.author,
            new.author_id,
            new.send_at,
            now,
        );
        Ok(())
    }

    /// One text.
    pub async fn scheduled(&mut self, id: ScheduledTextId) -> Result<Option<ScheduledText>, StoreError> {
        let row = fetch_optional!(self, Row, "scheduled/get", id);
        row.map(|row| row.open(&self.keys)).transpose()
    }

    /// What waits in a conversation, the next one first.
    pub async fn scheduled_of(
        &mut self,
        conversation: ConversationId,
    ) -> Result<Vec<ScheduledText>, StoreError> {
        let rows =
            fetch_all!(self, Row, "scheduled/of_conversation", conversation, i64::from(MOST_SCHEDULED));
        rows.into_iter().map(|row| row.open(&self.keys)).collect()
    }

    /// Changes a text that was read in `version` and still waits. `false`: it has changed meanwhile.
    pub async fn change_scheduled(
        &mut self,
        id: ScheduledTextId,
        version: i64,
        body: &str,
        send_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (now, sealed) = (self.now, self.keys.seal("scheduled_texts.body", id.0, body.as_bytes())?);
        Ok(execute!(self, "scheduled/change", id, version, sealed, send_at, now) > 0)
    }

    /// Gives a text up. `false`: it doesn't wait any more.
    pub async fn cancel_scheduled(&mut self, id: ScheduledTextId) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "scheduled/cancel", id, now) > 0)
    }

    /// Gives up what policies and the host have put off in a conversation.
    pub async fn cancel_automatic(
        &mut self,
        conversation: ConversationId,
    ) -> Result<Vec<ScheduledTextId>, StoreError> {
        let now = self.now;
        let rows = fetch_all!(self, (ScheduledTextId,), "scheduled/cancel_automatic", conversation, now);
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Marks a text as having become `message`. `false`: somebody else was faster.
    pub async fn scheduled_became(
        &mut self,
        id: ScheduledTextId,
        message: MessageId,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "scheduled/sent", id, message, now) > 0)
    }
}
