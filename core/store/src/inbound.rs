//! Storing what carriers deliver: the hot path, one multi-row insert for all that arrive together.

use std::sync::Arc;

use anteroom_model::{
    ids::{CarrierAccountId, MessageId, NumberId, OrganizationId},
    states::{Author, Direction, MessageState},
    time::Timestamp,
};
use futures::FutureExt;
use sqlx::QueryBuilder;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::{
    Store, StoreError,
    conn::{Conn, on},
    writer::{self, Job},
};

/// Rows of one insert at most: 14 values each, under `SQLite`'s 32,766 and PostgreSQL's 65,535 parameters.
const ROWS: usize = 256;

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

pub(crate) type Arrival = (NewInbound, oneshot::Sender<Result<Received, StoreError>>);

impl Store {
    /// Stores an inbound message; returns after it is on disk.
    pub async fn receive(&self, message: NewInbound) -> Result<Received, StoreError> {
        let (tell, told) = oneshot::channel();
        self.arrivals().send((message, tell)).await.map_err(|_| StoreError::Closed)?;
        told.await.map_err(|_| StoreError::Closed)?
    }
}

/// Gathers arrivals while the writer is busy with the batch before. Runs until the last sender is gone.
pub(crate) async fn run(mut arrivals: mpsc::Receiver<Arrival>, jobs: mpsc::Sender<Job>, ready: Arc<Notify>) {
    let mut batch = Vec::with_capacity(ROWS);
    while arrivals.recv_many(&mut batch, ROWS).await > 0 {
        let (rows, tells): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let (done, finished) = oneshot::channel::<()>();
        let ready = ready.clone();
        let job: Job = Box::new(move |conn| {
            async move {
                match insert(conn, &rows).await {
                    Ok(fresh) => Some(Box::new(move |outcome: Result<(), StoreError>| {
                        if outcome.is_ok() {
                            ready.notify_one();
                        }
                        for (tell, fresh) in tells.into_iter().zip(fresh) {
                            drop(tell.send(outcome.clone().map(|()| fresh)));
                        }
                        drop(done);
                    }) as writer::Committed),
                    Err(error) => {
                        for tell in tells {
                            drop(tell.send(Err(error.clone())));
                        }
                        None
                    }
                }
            }
            .boxed()
        });
        if jobs.send(job).await.is_err() {
            return;
        }
        // An error means that the sender was dropped: the job is over, either way.
        drop(finished.await);
    }
}

/// `MessageId`s aren't read back while all rows are new, as they nearly always are: rows that travel from the
/// database cost more than inserting them.
async fn insert(conn: &mut Conn, rows: &[NewInbound]) -> Result<Vec<Received>, StoreError> {
    let stored = on!(&mut *conn, c => {
        let mut query = QueryBuilder::new(
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
        query.build().execute(c).await?.rows_affected()
    });
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
