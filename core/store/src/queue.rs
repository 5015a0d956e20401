//! The queues: leasing messages that are due, and ending the work on them.
//!
//! The queues are the message rows themselves. `due_at` is set while there is work, and is the end of the
//! lease while somebody works; a lane (one patient on one number) gives out its oldest message only.

use anteroom_model::{
    ids::{CarrierAccountId, ConversationId, MessageId, NodeId, NumberId, OrganizationId},
    states::{Author, MessageState},
    time::Timestamp,
};
use sqlx::FromRow;
use tokio::sync::oneshot;

use crate::{
    Extra, Org, Store, StoreError,
    conn::{execute, on},
    messages::open_extra,
    sql, writer,
};

/// How long a carrier is given to list a text that a process now ended may have handed to it.
const SETTLE: std::time::Duration = std::time::Duration::from_secs(3);

/// An inbound message leased to this process.
#[derive(Clone)]
pub struct InboundWork {
    /// Whose.
    pub organization: OrganizationId,
    /// Its id.
    pub id: MessageId,
    /// Which account delivered it.
    pub carrier_account_id: CarrierAccountId,
    /// Which number was texted.
    pub number_id: NumberId,
    /// Who texted, E.164.
    pub peer: String,
    /// The text.
    pub body: String,
    /// Media and the like.
    pub extra: Extra,
    /// 1 for the first try.
    pub attempt: i32,
    /// When it arrived.
    pub created_at: Timestamp,
}

/// An outbound message leased to this process.
#[derive(Clone)]
pub struct OutboundWork {
    /// Whose.
    pub organization: OrganizationId,
    /// Its id.
    pub id: MessageId,
    /// Through which account.
    pub carrier_account_id: CarrierAccountId,
    /// From which number.
    pub number_id: NumberId,
    /// To whom, E.164.
    pub peer: String,
    /// The text.
    pub body: String,
    /// Where it belongs.
    pub conversation_id: Option<ConversationId>,
    /// Who wrote it.
    pub author: Author,
    /// 1 for the first try.
    pub attempt: i32,
    /// An earlier attempt began and nobody saw its end: the carrier may have it.
    pub in_doubt: bool,
    /// Sent although the patient opted out: the confirmation.
    pub despite_opt_out: bool,
    /// What the attempt before left behind.
    pub error_code: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
}

/// How one attempt to send ended.
#[derive(Clone, Debug)]
pub struct SendEnd {
    /// The new state: `sent`, `delivered`, `queued` (again later), `sending` (in doubt, look again later),
    /// `failed`, `unknown` or `blocked`.
    pub state: MessageState,
    /// The carrier's id.
    pub carrier_message_id: Option<String>,
    /// The carrier's code for a failure.
    pub error_code: Option<String>,
    /// The failure in staff's words.
    pub error_text: Option<String>,
    /// When to look again; `None`: there is nothing more to do.
    pub due_at: Option<Timestamp>,
}

#[derive(FromRow)]
struct InboundRow {
    organization_id: OrganizationId,
    id: MessageId,
    carrier_account_id: CarrierAccountId,
    number_id: NumberId,
    peer: Vec<u8>,
    body: Vec<u8>,
    extra: Option<Vec<u8>>,
    attempt: i32,
    created_at: Timestamp,
}

#[derive(FromRow)]
struct OutboundRow {
    organization_id: OrganizationId,
    id: MessageId,
    carrier_account_id: CarrierAccountId,
    number_id: NumberId,
    peer: Vec<u8>,
    body: Vec<u8>,
    conversation_id: Option<ConversationId>,
    author: Author,
    attempt: i32,
    in_doubt: i32,
    despite_opt_out: bool,
    error_code: Option<String>,
    created_at: Timestamp,
}

impl Store {
    /// Leases the oldest due inbound message of each of at most `limit` lanes to `node` until `until`.
    pub async fn claim_inbound(
        &self,
        node: NodeId,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboundWork>, StoreError> {
        let rows: Vec<InboundRow> = self.claim(sql!("messages/claim_inbound"), node, until, limit).await?;
        let mut work = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id;
            match self.open_inbound(row).await {
                Ok(item) => work.push(item),
                Err(error) => unopened(id, &error),
            }
        }
        Ok(work)
    }

    /// Leases the oldest due outbound message of each of at most `limit` lanes to `node` until `until`.
    pub async fn claim_outbound(
        &self,
        node: NodeId,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboundWork>, StoreError> {
        let rows: Vec<OutboundRow> = self.claim(sql!("messages/claim_outbound"), node, until, limit).await?;
        let mut work = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id;
            match self.open_outbound(row).await {
                Ok(item) => work.push(item),
                Err(error) => unopened(id, &error),
            }
        }
        Ok(work)
    }

    async fn open_inbound(&self, row: InboundRow) -> Result<InboundWork, StoreError> {
        let keys = self.keys(row.organization_id).await?;
        Ok(InboundWork {
            peer: keys.open_text("messages.peer", row.id.0, &row.peer)?,
            body: keys.open_text("messages.body", row.id.0, &row.body)?,
            extra: open_extra(&keys, row.id, row.extra.as_deref())?,
            organization: row.organization_id,
            id: row.id,
            carrier_account_id: row.carrier_account_id,
            number_id: row.number_id,
            attempt: row.attempt,
            created_at: row.created_at,
        })
    }

    async fn open_outbound(&self, row: OutboundRow) -> Result<OutboundWork, StoreError> {
        let keys = self.keys(row.organization_id).await?;
        Ok(OutboundWork {
            peer: keys.open_text("messages.peer", row.id.0, &row.peer)?,
            body: keys.open_text("messages.body", row.id.0, &row.body)?,
            organization: row.organization_id,
            id: row.id,
            carrier_account_id: row.carrier_account_id,
            number_id: row.number_id,
            conversation_id: row.conversation_id,
            author: row.author,
            attempt: row.attempt,
            in_doubt: row.in_doubt > 1,
            despite_opt_out: row.despite_opt_out,
            error_code: row.error_code,
            created_at: row.created_at,
        })
    }

    /// Gives back everything that is leased. Only for a process that has the database to itself: the leases
    /// are then those of processes that have ended.
    pub async fn release_leases(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let (tell, told) = oneshot::channel();
        let job: writer::Job = Box::new(move |conn| {
            Box::pin(async move {
                let released = on!(conn, c => {
                    sqlx::query(sql!("messages/release_leases"))
                        .bind(now)
                        .bind(now.plus(SETTLE))
                        .execute(c)
                        .await
                        .map(|done| done.rows_affected())
                });
                finish(released, tell)
            })
        });
        self.submit(job).await?;
        told.await.map_err(|_| StoreError::Closed)?
    }

    async fn claim<R>(
        &self,
        query: &'static str,
        node: NodeId,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<R>, StoreError>
    where
        R: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow> + Send + Unpin + 'static,
    {
        let now = self.now();
        let (tell, told) = oneshot::channel();
        let job: writer::Job = Box::new(move |conn| {
            Box::pin(async move {
                let rows = on!(conn, c => {
                    sqlx::query_as::<_, R>(query)
                        .bind(now)
                        .bind(until)
                        .bind(node)
                        .bind(limit)
                        .fetch_all(c)
                        .await
                });
                finish(rows, tell)
            })
        });
        self.submit(job).await?;
        told.await.map_err(|_| StoreError::Closed)?
    }
}

/// One row that can't be opened must not keep back those that were leased with it. Its own lease ends, and it
/// is looked at again: the key may be right by then.
fn unopened(id: MessageId, error: &StoreError) {
    tracing::error!(message = %id, %error, "a leased message can't be opened");
}

/// Ends a job: its value is told after the commit, its error at once.
fn finish<T: Send + 'static>(
    outcome: Result<T, sqlx::Error>,
    tell: oneshot::Sender<Result<T, StoreError>>,
) -> Option<writer::Committed> {
    match outcome {
        Ok(value) => Some(Box::new(move |committed: Result<(), StoreError>| {
            drop(tell.send(committed.map(|()| value)));
        })),
        Err(error) => {
            drop(tell.send(Err(error.into())));
            None
        }
    }
}

impl Org<'_> {
    /// Ends the work on an inbound message. `false`: the lease was lost, somebody else has done or does it,
    /// and everything of this unit of work must be taken back.
    pub async fn finish_inbound(
        &mut self,
        id: MessageId,
        node: NodeId,
        state: MessageState,
        conversation: Option<ConversationId>,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "messages/finish_inbound", id, node, state, conversation) > 0)
    }

    /// Gives an inbound message back: to be tried again at `due_at`, or for good as `dead`.
    pub async fn postpone_inbound(
        &mut self,
        id: MessageId,
        node: NodeId,
        state: MessageState,
        due_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        Ok(execute!(self, "messages/postpone_inbound", id, node, state, due_at) > 0)
    }

    /// Records how an attempt to send ended. `false`: the lease was lost, or a receipt was faster.
    pub async fn end_send(&mut self, id: MessageId, node: NodeId, end: &SendEnd) -> Result<bool, StoreError> {
        let now = self.now;
        let in_doubt = i32::from(end.state == MessageState::Sending);
        let taken = matches!(end.state, MessageState::Sent | MessageState::Delivered);
        let finished = end.due_at.is_none() && end.state != MessageState::Sent;
        let ended = execute!(
            self,
            "messages/end_send",
            id,
            node,
            end.state,
            end.carrier_message_id.as_deref(),
            end.error_code.as_deref(),
            end.error_text.as_deref(),
            end.due_at,
            in_doubt,
            taken.then_some(now),
            finished.then_some(now),
        );
        if ended == 0
            && let Some(carrier_id) = &end.carrier_message_id
        {
            execute!(self, "messages/learn_carrier_id", id, carrier_id);
        }
        Ok(ended > 0)
    }
}
