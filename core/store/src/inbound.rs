//! Storing what carriers deliver: the hot path, one multi-row insert for all that arrive together.

use std::sync::Arc;

use anteroom_model::{
    ids::{CarrierAccountId, MessageId, NumberId, OrganizationId},
    states::{Author, Direction, MessageState},
    time::Timestamp,
};
use futures::{FutureExt, TryStreamExt};
use sqlx::{Executor, QueryBuilder, Sqlite, sqlite::SqliteQueryResult};
use tokio::sync::{Notify, oneshot};

use crate::{
    Store, StoreError,
    conn::{Conn, on},
    writer::{self, Job},
};

/// Rows of one insert at most: 14 values each, under `SQLite`'s 32,766 and PostgreSQL's 65,535 parameters.
pub(crate) const ROWS: usize = 256;

/// An inbound message as it is stored, its texts already sealed (rows of several organizations share an
/// insert, so sealing can't wait for it).
#[derive(Clone, Debug)]
pub struct NewInbound {
    /// Whose number was texted.
    pub organization: OrganizationId,
    /// Our id.
    pub id: MessageId,
    /// Which account delivered it.
    pub carrier_account: CarrierAccountId,
    /// Which number was texted.
    pub number: NumberId,
    /// Keyed hash of the sender's phone number.
    pub peer_hash: Vec<u8>,
    /// The sender's phone number, sealed as `messages.peer`.
    pub peer: Vec<u8>,
    /// The text, sealed as `messages.body`.
    pub body: Vec<u8>,
    /// [`crate::Extra`], sealed as `messages.extra`.
    pub extra: Option<Vec<u8>>,
    /// The carrier's id, by which a second delivery is known.
    pub carrier_message_id: String,
    /// When it arrived.
    pub at: Timestamp,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Stored now.
    Fresh,
    /// Stored before; nothing was done.
    Duplicate,
}

type Tell = oneshot::Sender<Result<Received, StoreError>>;
pub(crate) type Arrival = (NewInbound, Tell);

impl Store {
    /// Stores an inbound message; returns after it is on disk.
    pub async fn receive(&self, message: NewInbound) -> Result<Received, StoreError> {
        let (tell, told) = oneshot::channel();
        self.arrivals().send((message, tell)).await.map_err(|_| StoreError::Closed)?;
        told.await.map_err(|_| StoreError::Closed)?
    }
}

/// Stores what arrived, as one of several jobs of a transaction.
pub(crate) fn job(arrived: Vec<Arrival>, ready: Arc<Notify>) -> Job {
    let (rows, tells): (Vec<_>, Vec<_>) = arrived.into_iter().unzip();
    Box::new(move |conn| {
        async move {
            let stored = match insert(conn, &rows).await {
                Ok(stored) => received(conn, &rows, stored).await,
                Err(error) => Err(error),
            };
            match stored {
                Ok(received) => Some(Box::new(move |outcome: Result<(), StoreError>| {
                    tell(tells, outcome.map(|()| received), &ready);
                }) as writer::Committed),
                Err(error) => {
                    tell(tells, Err(error), &ready);
                    None
                }
            }
        }
        .boxed()
    })
}

/// Stores what arrived in a transaction of its own.
pub(crate) async fn commit(conn: &mut Conn, arrived: Vec<Arrival>, ready: &Notify) -> Result<(), StoreError> {
    let (rows, tells): (Vec<_>, Vec<_>) = arrived.into_iter().unzip();
    let stored = match insert_and_commit(conn, &rows).await {
        Ok(stored) => received(conn, &rows, stored).await,
        Err(error) => Err(error),
    };
    let outcome = stored.as_ref().map(drop).map_err(Clone::clone);
    tell(tells, stored, ready);
    outcome
}

fn tell(tells: Vec<Tell>, outcome: Result<Vec<Received>, StoreError>, ready: &Notify) {
    if outcome.is_ok() {
        ready.notify_one();
    }
    match outcome {
        Ok(received) => {
            for (tell, received) in tells.into_iter().zip(received) {
                drop(tell.send(Ok(received)));
            }
        }
        Err(error) => {
            for tell in tells {
                drop(tell.send(Err(error.clone())));
            }
        }
    }
}

/// Inserts the rows that aren't there yet; gives their number.
async fn insert(conn: &mut Conn, rows: &[NewInbound]) -> Result<u64, StoreError> {
    Ok(on!(conn, c => insert_query("", rows, "").build().execute(c).await?.rows_affected()))
}

/// The same as a whole transaction, in one trip to the connection's thread instead of three: there and back
/// costs about as much as inserting several rows.
async fn insert_and_commit(conn: &mut Conn, rows: &[NewInbound]) -> Result<u64, StoreError> {
    let Conn::Sqlite(conn) = conn;
    let mut query = insert_query("BEGIN IMMEDIATE; ", rows, "; COMMIT");
    let results: Vec<_> = conn.fetch_many(query.build()).try_collect().await?;
    // Of the three statements' results the second; what the others say of changes is left from before.
    let affected =
        results.get(1).and_then(|result| result.as_ref().left()).map(SqliteQueryResult::rows_affected);
    affected.ok_or_else(|| sqlx::Error::Protocol("three statements gave fewer results".into()).into())
}

fn insert_query(before: &str, rows: &[NewInbound], after: &str) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(before);
    query.push(
        "INSERT INTO messages (organization_id, id, direction, carrier_account_id, number_id, peer_hash, \
         peer, body, extra, carrier_message_id, author, state, due_at, created_at) ",
    );
    query.push_values(rows, |mut values, row| {
        values
            .push_bind(row.organization)
            .push_bind(row.id)
            .push_bind(Direction::Inbound)
            .push_bind(row.carrier_account)
            .push_bind(row.number)
            .push_bind(row.peer_hash.as_slice())
            .push_bind(row.peer.as_slice())
            .push_bind(row.body.as_slice())
            .push_bind(row.extra.as_deref())
            .push_bind(row.carrier_message_id.as_str())
            .push_bind(Author::Patient)
            .push_bind(MessageState::Received)
            .push_bind(row.at)
            .push_bind(row.at);
    });
    query.push(" ON CONFLICT (organization_id, carrier_account_id, carrier_message_id) DO NOTHING");
    query.push(after);
    query
}

/// What became of each row, when `stored` of them were new. Their ids aren't read back while all were, as
/// they nearly always are: rows that travel from the database cost more than inserting them.
async fn received(conn: &mut Conn, rows: &[NewInbound], stored: u64) -> Result<Vec<Received>, StoreError> {
    if usize::try_from(stored) == Ok(rows.len()) {
        return Ok(vec![Received::Fresh; rows.len()]);
    }
    let stored: Vec<MessageId> = on!(conn, c => {
        let mut query = QueryBuilder::new("SELECT id FROM messages WHERE (organization_id, id) IN (");
        query.push_values(rows, |mut values, row| {
            values.push_bind(row.organization).push_bind(row.id);
        });
        query.push(")");
        query.build_query_scalar().fetch_all(c).await?
    });
    let stored: std::collections::HashSet<_> = stored.into_iter().collect();
    Ok(rows
        .iter()
        .map(|row| if stored.contains(&row.id) { Received::Fresh } else { Received::Duplicate })
        .collect())
}
