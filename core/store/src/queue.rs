//! The queues: leasing messages that are due, and ending the work on them.
//!
//! The queues are the message rows themselves. `due_at` is set while there is work, and is the end of the
//! lease while somebody works; a lane (one patient on one number) gives out its oldest message only.

use anteroom_model::{
    ids::{CarrierAccountId, ConversationId, MessageId, NodeId, NumberId, OrganizationId},
    states::{Author, Direction, MessageState},
    time::Timestamp,
};
use futures::FutureExt;
use sqlx::{FromRow, QueryBuilder};

use crate::{
    Extra, Org, OrgKeys, Store, StoreError,
    conn::{Conn, Twin, execute, on, twin},
    messages::open_extra,
    sql,
};

/// How long a message behind another one of its lane is put aside, unless it is woken before: what a wake-up
/// that was lost, with the process that owed it, costs.
const ASIDE: std::time::Duration = std::time::Duration::from_secs(2);

/// How long a carrier is given to list a text that a process now ended may have handed to it.
pub(crate) const SETTLE: std::time::Duration = std::time::Duration::from_secs(3);

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
    /// Where it tells a long text: the messages that the other pieces came in. `None`: it came whole.
    pub pieces: Option<Vec<MessageId>>,
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
    /// Its number's pace lets it go now: it was parked, and picked.
    pub picked: bool,
    /// When the lease ends: nothing may be begun that could take longer.
    pub until: Timestamp,
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

/// What a claim found.
#[derive(Clone, Debug)]
pub struct Claimed<W> {
    /// The messages that are leased now.
    pub work: Vec<W>,
    /// How many it looked at: as many as asked for where there may be more.
    pub seen: u32,
}

/// A row that a claim has looked at.
trait Seen {
    /// What it is once it is opened.
    type Work;

    /// Whose lease it is; none where the message was put aside.
    fn lease(&self) -> Option<NodeId>;

    /// Its key.
    fn key(&self) -> (OrganizationId, MessageId);

    /// Opened with its organization's keys; leased until `until`.
    fn open(self, keys: &OrgKeys, until: Timestamp) -> Result<Self::Work, StoreError>;
}

#[derive(FromRow)]
struct InboundRow {
    organization_id: OrganizationId,
    id: MessageId,
    lease_node: Option<NodeId>,
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
    lease_node: Option<NodeId>,
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
    pace: Option<String>,
}

impl Seen for InboundRow {
    type Work = InboundWork;

    fn lease(&self) -> Option<NodeId> {
        self.lease_node
    }

    fn key(&self) -> (OrganizationId, MessageId) {
        (self.organization_id, self.id)
    }

    fn open(self, keys: &OrgKeys, _: Timestamp) -> Result<InboundWork, StoreError> {
        Ok(InboundWork {
            peer: keys.open_text("messages.peer", self.id.0, &self.peer)?,
            body: keys.open_text("messages.body", self.id.0, &self.body)?,
            extra: open_extra(keys, self.id, self.extra.as_deref())?,
            organization: self.organization_id,
            id: self.id,
            carrier_account_id: self.carrier_account_id,
            number_id: self.number_id,
            attempt: self.attempt,
            created_at: self.created_at,
            pieces: None,
        })
    }
}

impl Seen for OutboundRow {
    type Work = OutboundWork;

    fn lease(&self) -> Option<NodeId> {
        self.lease_node
    }

    fn key(&self) -> (OrganizationId, MessageId) {
        (self.organization_id, self.id)
    }

    fn open(self, keys: &OrgKeys, until: Timestamp) -> Result<OutboundWork, StoreError> {
        Ok(OutboundWork {
            peer: keys.open_text("messages.peer", self.id.0, &self.peer)?,
            body: keys.open_text("messages.body", self.id.0, &self.body)?,
            organization: self.organization_id,
            id: self.id,
            carrier_account_id: self.carrier_account_id,
            number_id: self.number_id,
            conversation_id: self.conversation_id,
            author: self.author,
            attempt: self.attempt,
            in_doubt: self.in_doubt > 1,
            despite_opt_out: self.despite_opt_out,
            error_code: self.error_code,
            created_at: self.created_at,
            picked: self.pace.as_deref() == Some("picked"),
            until,
        })
    }
}

impl Store {
    /// Looks at the `limit` inbound messages that have been due longest and leases those that are the oldest
    /// of their lanes to `node` until `until`.
    pub async fn claim_inbound(
        &self,
        node: NodeId,
        until: Timestamp,
        limit: u32,
    ) -> Result<Claimed<InboundWork>, StoreError> {
        self.claim::<InboundRow>(twin!("messages/claim_inbound"), node, until, limit).await
    }

    /// Looks at the `limit` outbound messages that have been due longest and leases those that are the oldest
    /// of their lanes to `node` until `until`.
    pub async fn claim_outbound(
        &self,
        node: NodeId,
        until: Timestamp,
        limit: u32,
    ) -> Result<Claimed<OutboundWork>, StoreError> {
        self.claim::<OutboundRow>(twin!("messages/claim_outbound"), node, until, limit).await
    }

    /// Gives back what is leased to `node`, or everything. Only for a process that knows that the holder has
    /// ended: it is that node's next life, or has the database to itself.
    pub async fn release_leases(&self, node: Option<NodeId>) -> Result<u64, StoreError> {
        let now = self.now();
        self.write_across(move |conn| {
            async move {
                on!(conn, c => {
                    sqlx::query(sql!("messages/release_leases"))
                        .bind(now)
                        .bind(now.plus(SETTLE))
                        .bind(node)
                        .execute(c)
                        .await
                        .map(|done| done.rows_affected())
                })
            }
            .boxed()
        })
        .await
    }

    async fn claim<R>(
        &self,
        query: Twin,
        node: NodeId,
        until: Timestamp,
        limit: u32,
    ) -> Result<Claimed<R::Work>, StoreError>
    where
        R: Seen
            + for<'r> FromRow<'r, sqlx::sqlite::SqliteRow>
            + for<'r> FromRow<'r, sqlx::postgres::PgRow>
            + Send
            + Unpin
            + 'static,
        R::Work: Send,
    {
        let now = self.now();
        let rows: Vec<R> =
            self.write_across(move |conn| look(conn, query, now, until, node, limit).boxed()).await?;
        let seen = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        if self.is_shared() {
            let aside: Vec<_> = rows.iter().filter(|row| row.lease().is_none()).map(Seen::key).collect();
            self.look_again(aside).await;
        }
        let mut work = Vec::with_capacity(rows.len());
        for row in rows.into_iter().filter(|row| row.lease() == Some(node)) {
            let (organization, id) = row.key();
            match self.keys(organization).await.and_then(|keys| row.open(&keys, until)) {
                Ok(item) => work.push(item),
                Err(error) => unopened(id, &error),
            }
        }
        Ok(Claimed { work, seen })
    }

    /// Where units of work run side by side, the one that a message was put aside for may have ended since it
    /// was judged, and have woken nobody. Whoever ends work wakes after its commit, and this looks after the
    /// claim's: one of the two sees the other.
    async fn look_again(&self, aside: Vec<(OrganizationId, MessageId)>) {
        for (organization, id) in aside {
            if let Err(error) = self.due_again(organization, id).await {
                tracing::warn!(message = %id, %error, "what was put aside is looked at again later");
            }
        }
    }

    async fn due_again(&self, organization: OrganizationId, id: MessageId) -> Result<(), StoreError> {
        let now = self.now();
        if let Conn::Postgres(mut conn) = self.reader().await? {
            let query = include_str!("../queries/messages/due_again.postgres.sql");
            sqlx::query(query).bind(organization).bind(id).bind(now).execute(&mut *conn).await?;
        }
        Ok(())
    }

    /// What waits behind these messages, which are done, is due.
    pub(crate) async fn wake_lanes(&self, organization: OrganizationId, ended: Vec<MessageId>) {
        for id in ended {
            if let Err(error) = self.wake_lane(organization, id).await {
                tracing::warn!(message = %id, %error, "a lane could not be woken; it is looked at again later");
            }
        }
    }

    async fn wake_lane(&self, organization: OrganizationId, id: MessageId) -> Result<(), StoreError> {
        let (now, mut conn) = (self.now(), self.reader().await?);
        let woken = on!(&mut conn, c => {
            let query = sqlx::query(sql!("messages/wake_lane"));
            query.bind(organization).bind(id).bind(now).execute(c).await?.rows_affected()
        });
        if woken > 0 {
            self.work_is_due();
        }
        Ok(())
    }

    /// Gives back what is leased to `node` in that direction and not among `under_way`: leased by a claim
    /// whose answer never came.
    pub async fn give_back(
        &self,
        direction: Direction,
        node: NodeId,
        under_way: Vec<MessageId>,
    ) -> Result<u64, StoreError> {
        let now = self.now();
        self.write_across(move |conn| {
            async move {
                on!(conn, c => {
                    let mut query = QueryBuilder::new(sql!("messages/give_back"));
                    query.push_bind(now).push(" WHERE direction = ").push_bind(direction);
                    query.push(" AND due_at > ").push_bind(now).push(" AND lease_node = ").push_bind(node);
                    query.push(" AND id NOT IN (");
                    let mut ids = query.separated(", ");
                    // Never an empty list.
                    for id in under_way.into_iter().chain([MessageId::LEAST]) {
                        ids.push_bind(id);
                    }
                    query.push(")");
                    query.build().execute(c).await.map(|done| done.rows_affected())
                })
            }
            .boxed()
        })
        .await
    }
}

async fn look<R>(
    conn: &mut Conn,
    query: Twin,
    now: Timestamp,
    until: Timestamp,
    node: NodeId,
    limit: u32,
) -> Result<Vec<R>, sqlx::Error>
where
    R: for<'r> FromRow<'r, sqlx::sqlite::SqliteRow>
        + for<'r> FromRow<'r, sqlx::postgres::PgRow>
        + Send
        + Unpin,
{
    let text = conn.pick(query);
    on!(conn, c => {
        sqlx::query_as(text)
            .bind(now)
            .bind(until)
            .bind(node)
            .bind(i64::from(limit))
            .bind(now.plus(ASIDE))
            .fetch_all(c)
            .await
    })
}

/// One row that can't be opened must not keep back those that were leased with it. Its own lease ends, and it
/// is looked at again: the key may be right by then.
fn unopened(id: MessageId, error: &StoreError) {
    tracing::error!(message = %id, %error, "a leased message can't be opened");
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
        let finished = execute!(self, "messages/finish_inbound", id, node, state, conversation) > 0;
        self.wake_lane(id).await?;
        Ok(finished)
    }

    /// Gives an inbound message back: to be tried again at `due_at`, or for good as `dead`.
    pub async fn postpone_inbound(
        &mut self,
        id: MessageId,
        node: NodeId,
        state: MessageState,
        due_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let postponed = execute!(self, "messages/postpone_inbound", id, node, state, due_at) > 0;
        if due_at.is_none() {
            self.wake_lane(id).await?;
        }
        Ok(postponed)
    }

    /// What waits behind `id`, which is done, is due.
    async fn wake_lane(&mut self, id: MessageId) -> Result<(), StoreError> {
        let now = self.now;
        if matches!(self.conn(), Conn::Sqlite(_)) {
            execute!(self, "messages/wake_lane", id, now);
        } else {
            self.work.ended(id);
        }
        Ok(())
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
        if end.due_at.is_none() {
            self.wake_lane(id).await?;
        }
        Ok(ended > 0)
    }
}
