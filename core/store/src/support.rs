//! Questions to whoever runs Anteroom, what was answered, and which of it is still to be mailed.

use anteroom_model::{
    ids::{OrganizationId, StaffId, TicketId, TicketMessageId},
    states::{MailState, TicketState},
    time::Timestamp,
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::{
    Org, Store, StoreError,
    conn::{execute, fetch_all, fetch_optional, on, twin},
    sql,
};

const CONTENT: &str = "support_tickets.content";
const BODY: &str = "support_messages.body";

/// What a ticket is about.
#[derive(Clone, Serialize, Deserialize)]
pub struct TicketContent {
    /// In the person's words.
    pub subject: String,
    /// What they agreed to send along, as whoever wrote it laid it out.
    pub context: Option<serde_json::Value>,
}

/// A question to whoever runs Anteroom.
#[derive(Clone)]
pub struct Ticket {
    /// Its id.
    pub id: TicketId,
    /// Who asks.
    pub author_id: StaffId,
    /// What it is about.
    pub content: TicketContent,
    /// How far it is.
    pub state: TicketState,
    /// When it was answered last.
    pub answered_at: Option<Timestamp>,
    /// When the author looked last.
    pub seen_at: Option<Timestamp>,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When something was said or closed last.
    pub updated_at: Timestamp,
}

impl Ticket {
    /// Whether its author hasn't seen the last answer.
    pub fn is_unread(&self) -> bool {
        self.answered_at > self.seen_at
    }
}

/// What was said in a ticket.
#[derive(Clone)]
pub struct TicketMessage {
    /// Its id.
    pub id: TicketMessageId,
    /// In which ticket.
    pub ticket_id: TicketId,
    /// Who of staff; `None`: the operator, from a terminal.
    pub author_id: Option<StaffId>,
    /// The words.
    pub body: String,
    /// How far it is as a mail.
    pub mail: MailState,
    /// Why the last attempt to mail it failed: a stable word.
    pub mail_problem: Option<String>,
    /// When it was said.
    pub created_at: Timestamp,
}

/// A mail that a node has leased.
#[derive(Clone, Debug)]
pub struct MailWork {
    /// Whose.
    pub organization: OrganizationId,
    /// Which message is to be mailed.
    pub message: TicketMessageId,
    /// Of which ticket.
    pub ticket: TicketId,
    /// Attempts, with this one.
    pub attempts: i32,
    /// The end of the lease.
    pub until: Timestamp,
}

/// How an attempt to mail ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailEnd {
    /// The mail server has it.
    Mailed,
    /// It is tried again then.
    Later {
        /// When.
        due_at: Timestamp,
        /// What failed: a stable word.
        problem: &'static str,
    },
    /// It is given up.
    Failed {
        /// What failed: a stable word.
        problem: &'static str,
    },
}

#[derive(FromRow)]
struct TicketRow {
    id: TicketId,
    author_id: StaffId,
    content: Vec<u8>,
    state: TicketState,
    answered_at: Option<Timestamp>,
    seen_at: Option<Timestamp>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(FromRow)]
struct MessageRow {
    id: TicketMessageId,
    ticket_id: TicketId,
    author_id: Option<StaffId>,
    body: Vec<u8>,
    mail: MailState,
    mail_problem: Option<String>,
    created_at: Timestamp,
}

type WorkRow = (OrganizationId, TicketMessageId, TicketId, i32);

impl Store {
    /// Whether there is a mail to be sent now.
    pub async fn support_mail_is_due(&self) -> Result<bool, StoreError> {
        let (mut conn, now) = (self.reader().await?, self.now());
        Ok(on!(&mut conn, c => sqlx::query_scalar(sql!("support/mail_due")).bind(now).fetch_one(c).await?))
    }

    /// Leases the mail that has been due longest until `until`.
    pub async fn claim_support_mail(&self, until: Timestamp) -> Result<Option<MailWork>, StoreError> {
        if !self.support_mail_is_due().await? {
            return Ok(None);
        }
        let now = self.now();
        let row: Option<WorkRow> = self
            .write_across(move |conn| {
                async move {
                    let query = conn.pick(twin!("support/claim_mail"));
                    on!(conn, c => sqlx::query_as(query).bind(now).bind(until).fetch_optional(c).await)
                }
                .boxed()
            })
            .await?;
        Ok(row.map(|(organization, message, ticket, attempts)| MailWork {
            organization,
            message,
            ticket,
            attempts,
            until,
        }))
    }
}

impl Org<'_> {
    /// Opens a ticket; what is asked follows with [`Self::insert_ticket_message`].
    pub async fn insert_ticket(
        &mut self,
        id: TicketId,
        author: StaffId,
        content: &TicketContent,
    ) -> Result<(), StoreError> {
        let (now, sealed) = (self.now, self.keys.seal_json(CONTENT, id.0, content)?);
        execute!(self, "support/insert_ticket", id, author, sealed, now);
        Ok(())
    }

    /// Stores what was said; `mailed`: it goes by mail, too.
    pub async fn insert_ticket_message(
        &mut self,
        ticket: TicketId,
        id: TicketMessageId,
        author: Option<StaffId>,
        body: &str,
        mailed: bool,
    ) -> Result<(), StoreError> {
        let (now, sealed) = (self.now, self.keys.seal(BODY, id.0, body.as_bytes())?);
        let (mail, due) = if mailed { (MailState::Waiting, Some(now)) } else { (MailState::None, None) };
        execute!(self, "support/insert_message", id, ticket, author, sealed, mail, due, now);
        Ok(())
    }

    /// One ticket.
    pub async fn ticket(&mut self, id: TicketId) -> Result<Option<Ticket>, StoreError> {
        let row = fetch_optional!(self, TicketRow, "support/ticket", id);
        row.map(|row| self.open_ticket(&row)).transpose()
    }

    /// Tickets before `before`, newest first: of one author, or of everybody.
    pub async fn tickets(
        &mut self,
        author: Option<StaffId>,
        before: TicketId,
        limit: u32,
    ) -> Result<Vec<Ticket>, StoreError> {
        let limit = i64::from(limit);
        let rows = if let Some(author) = author {
            fetch_all!(self, TicketRow, "support/tickets_of", author, before, limit)
        } else {
            fetch_all!(self, TicketRow, "support/tickets", before, limit)
        };
        rows.iter().map(|row| self.open_ticket(row)).collect()
    }

    /// What was said in a ticket, oldest first.
    pub async fn ticket_messages(&mut self, ticket: TicketId) -> Result<Vec<TicketMessage>, StoreError> {
        let rows = fetch_all!(self, MessageRow, "support/messages", ticket);
        rows.into_iter()
            .map(|row| {
                Ok(TicketMessage {
                    body: self.keys.open_text(BODY, row.id.0, &row.body)?,
                    id: row.id,
                    ticket_id: row.ticket_id,
                    author_id: row.author_id,
                    mail: row.mail,
                    mail_problem: row.mail_problem,
                    created_at: row.created_at,
                })
            })
            .collect()
    }

    /// Tickets of `author` with an answer they haven't seen.
    pub async fn unread_tickets(&mut self, author: StaffId) -> Result<i64, StoreError> {
        let rows = fetch_all!(self, (i64,), "support/unread", author);
        Ok(rows.first().map_or(0, |(count,)| *count))
    }

    /// Tickets of everybody that wait for an answer.
    pub async fn open_tickets(&mut self) -> Result<i64, StoreError> {
        let rows = fetch_all!(self, (i64,), "support/open");
        Ok(rows.first().map_or(0, |(count,)| *count))
    }

    /// The author has looked.
    pub async fn ticket_seen(&mut self, id: TicketId) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "support/seen", id, now);
        Ok(())
    }

    /// Somebody other than the author has said something.
    pub async fn ticket_answered(&mut self, id: TicketId) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "support/answered", id, now);
        Ok(())
    }

    /// The author has said more.
    pub async fn ticket_asked(&mut self, id: TicketId) -> Result<(), StoreError> {
        let now = self.now;
        execute!(self, "support/asked", id, now);
        Ok(())
    }

    /// Closes or reopens a ticket; whether it was otherwise until now.
    pub async fn set_ticket_state(&mut self, id: TicketId, state: TicketState) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "support/set_state", id, state, now) > 0)
    }

    /// Records how an attempt to mail ended. `false`: the lease was over, and it is another's.
    pub async fn end_support_mail(&mut self, work: &MailWork, end: &MailEnd) -> Result<bool, StoreError> {
        let (state, due, problem) = match end {
            MailEnd::Mailed => (MailState::Mailed, None, None),
            MailEnd::Later { due_at, problem } => (MailState::Waiting, Some(*due_at), Some(*problem)),
            MailEnd::Failed { problem } => (MailState::Failed, None, Some(*problem)),
        };
        Ok(execute!(self, "support/end_mail", work.message, work.until, state, due, problem) > 0)
    }

    /// Tries anew to mail what was given up in a ticket; whether there was any.
    pub async fn mail_ticket_again(&mut self, ticket: TicketId) -> Result<bool, StoreError> {
        let now = self.now;
        Ok(execute!(self, "support/mail_again", ticket, now) > 0)
    }

    fn open_ticket(&self, row: &TicketRow) -> Result<Ticket, StoreError> {
        Ok(Ticket {
            content: self.keys.open_json(CONTENT, row.id.0, &row.content)?,
            id: row.id,
            author_id: row.author_id,
            state: row.state,
            answered_at: row.answered_at,
            seen_at: row.seen_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
