//! Storing what carriers deliver: the hot path, one multi-row insert for all that arrive together.

use std::{sync::Arc, time::Duration};

use anteroom_model::{
    ids::{CarrierAccountId, MessageId, NumberId, OrganizationId},
    states::{Author, Direction, MessageState},
    time::Timestamp,
};
use futures::{FutureExt, TryStreamExt};
use sqlx::{Executor, PgConnection, QueryBuilder, Sqlite, sqlite::SqliteQueryResult};
use tokio::sync::{mpsc::error::TrySendError, oneshot};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    conn::{Conn, on},
    signals::{Signal, Signals},
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

/// How long a carrier is kept waiting for a commit. They give up after 10 to 15 s themselves.
const PATIENCE: Duration = Duration::from_secs(8);

impl Store {
    /// Stores an inbound message; returns after it is on disk. [`StoreError::Busy`] and
    /// [`StoreError::TimedOut`]: the carrier has to deliver it again; it may be there already, then that
    /// delivery is a duplicate.
    pub async fn receive(&self, message: NewInbound) -> Result<Received, StoreError> {
        let (tell, told) = oneshot::channel();
        self.arrivals().try_send((message, tell)).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Closed(_) => StoreError::Closed,
        })?;
        match tokio::time::timeout(PATIENCE, told).await {
            Ok(told) => told.map_err(|_| StoreError::Closed)?,
            Err(_) => Err(StoreError::TimedOut),
        }
    }
}

/// Stores what arrived, as one of several jobs of a transaction.
pub(crate) fn job(arrived: Vec<Arrival>, signals: Arc<Signals>) -> Job {
    let (rows, tells): (Vec<_>, Vec<_>) = arrived.into_iter().unzip();
    Box::new(move |conn| {
        async move {
            let stored = match insert(conn, &rows).await {
                Ok(stored) => received(conn, &rows, stored).await,
                Err(error) => Err(error),
            };
            match stored {
                Ok(received) => Some(Box::new(move |outcome: Result<(), StoreError>| {
                    tell(tells, outcome.map(|()| received), &signals);
                }) as writer::Committed),
                Err(error) => {
                    tell(tells, Err(error), &signals);
                    None
                }
            }
        }
        .boxed()
    })
}

/// Stores what arrived in a transaction of its own.
pub(crate) async fn commit(
    conn: &mut Conn,
    arrived: Vec<Arrival>,
    signals: &Signals,
) -> Result<(), StoreError> {
    let (rows, tells): (Vec<_>, Vec<_>) = arrived.into_iter().unzip();
    let stored = match insert_and_commit(conn, &rows).await {
        Ok(stored) => received(conn, &rows, stored).await,
        Err(error) => Err(error),
    };
    let outcome = stored.as_ref().map(drop).map_err(Clone::clone);
    tell(tells, stored, signals);
    outcome
}

fn tell(tells: Vec<Tell>, outcome: Result<Vec<Received>, StoreError>, signals: &Signals) {
    if outcome.is_ok() {
        signals.raise(Signal::Inbound);
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
    match conn {
        Conn::Sqlite(c) => Ok(insert_query("", rows, "").build().execute(&mut **c).await?.rows_affected()),
        Conn::Postgres(c) => insert_postgres(c, rows).await,
    }
}

/// The same as a whole transaction. In `SQLite` one trip to the connection's thread instead of three: there
/// and back costs about as much as inserting several rows.
async fn insert_and_commit(conn: &mut Conn, rows: &[NewInbound]) -> Result<u64, StoreError> {
    let c = match conn {
        Conn::Sqlite(c) => c,
        // A statement outside of a transaction is one.
        Conn::Postgres(c) => return insert_postgres(c, rows).await,
    };
    let mut query = insert_query("BEGIN IMMEDIATE; ", rows, "; COMMIT");
    let results: Vec<_> = c.fetch_many(query.build()).try_collect().await?;
    // Of the three statements' results the second; what the others say of changes is left from before.
    let affected =
        results.get(1).and_then(|result| result.as_ref().left()).map(SqliteQueryResult::rows_affected);
    affected.ok_or_else(|| sqlx::Error::Protocol("three statements gave fewer results".into()).into())
}

async fn insert_postgres(conn: &mut PgConnection, rows: &[NewInbound]) -> Result<u64, StoreError> {
    // In the order of the unique key, so that two inserts of the same rows at the same moment wait for each
    // other and don't lock each other out.
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|row| (row.organization, row.carrier_account, row.carrier_message_id.as_str()));
    let ids = |id: fn(&NewInbound) -> Uuid| rows.iter().map(|row| id(row)).collect::<Vec<_>>();
    let bytes = |bytes: fn(&NewInbound) -> &[u8]| rows.iter().map(|row| bytes(row)).collect::<Vec<_>>();
    let inserted = sqlx::query(include_str!("../queries/messages/receive.postgres.sql"))
        .bind(ids(|row| row.organization.0))
        .bind(ids(|row| row.id.0))
        .bind(ids(|row| row.carrier_account.0))
        .bind(ids(|row| row.number.0))
        .bind(bytes(|row| &row.peer_hash))
        .bind(bytes(|row| &row.peer))
        .bind(bytes(|row| &row.body))
        .bind(rows.iter().map(|row| row.extra.as_deref()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.carrier_message_id.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.at.micros()).collect::<Vec<_>>())
        .execute(conn)
        .await?;
    Ok(inserted.rows_affected())
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
