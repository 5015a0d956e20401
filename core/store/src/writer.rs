//! Group commit on `SQLite`: writes that wait at the same time share one transaction and one flush.
//!
//! With `synchronous=FULL` a commit costs a flush to disk, which takes longer than all the statements of a
//! usual write. So one task owns the writing connection; while it flushes one batch, the next one gathers.
//! Each job runs behind a savepoint: one that fails takes back only its own rows. Texts that arrive have a
//! queue of their own and are one insert together; where nothing else waits, that insert is the transaction.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use metrics::histogram;
use tokio::sync::mpsc;

use crate::{
    StoreError,
    conn::Conn,
    inbound::{self, Arrival},
    signals::Signals,
};

/// Told once the fate of the transaction is known.
pub(crate) type Committed = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// One unit of work. `None` means that it failed, has already told its caller, and is to be taken back.
pub(crate) type Job = Box<dyn for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Option<Committed>> + Send>;

/// Jobs in one transaction at most, so that no caller waits for a very long one.
const BATCH: usize = 128;

/// Jobs that may wait; more callers wait for room.
pub(crate) const WAITING: usize = 1_024;

/// Runs until the last senders are gone.
pub(crate) async fn run(
    mut conn: Conn,
    mut jobs: mpsc::Receiver<Job>,
    mut arrivals: mpsc::Receiver<Arrival>,
    signals: Arc<Signals>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut texts = Vec::with_capacity(inbound::ROWS);
    loop {
        tokio::select! {
            1.. = jobs.recv_many(&mut batch, BATCH) => {}
            1.. = arrivals.recv_many(&mut texts, inbound::ROWS) => {}
            else => return,
        }
        take_waiting(&mut jobs, &mut batch, BATCH);
        take_waiting(&mut arrivals, &mut texts, inbound::ROWS);
        let together = batch.len() + usize::from(!texts.is_empty());
        histogram!("anteroom_store_batch_jobs")
            .record(f64::from(u32::try_from(together).unwrap_or(u32::MAX)));
        let arrived = (!texts.is_empty()).then(|| std::mem::take(&mut texts));
        let outcome = match arrived {
            Some(arrived) if batch.is_empty() => {
                // As with jobs: no panic ends the writing of all.
                let stored = AssertUnwindSafe(inbound::commit(&mut conn, arrived, &signals));
                stored.catch_unwind().await.unwrap_or(Err(StoreError::Closed))
            }
            arrived => {
                let arrived = arrived.map(|arrived| inbound::job(arrived, signals.clone()));
                commit(&mut conn, arrived.into_iter().chain(batch.drain(..)), together == 1).await
            }
        };
        if let Err(error) = outcome {
            tracing::error!(error = %error, "a group commit failed; nothing of it was kept");
            // Some errors end the transaction by themselves (a full disk), others leave it open.
            drop(conn.execute("ROLLBACK").await);
        }
    }
}

/// Whatever came meanwhile takes part.
fn take_waiting<T>(queue: &mut mpsc::Receiver<T>, taken: &mut Vec<T>, most: usize) {
    while taken.len() < most
        && let Ok(one) = queue.try_recv()
    {
        taken.push(one);
    }
}

async fn commit(conn: &mut Conn, jobs: impl Iterator<Item = Job>, alone: bool) -> Result<(), StoreError> {
    // Jobs not yet run are dropped on an early return, which tells their callers `Closed`.
    conn.execute("BEGIN IMMEDIATE").await?;
    let mut waiting: Vec<Committed> = Vec::new();
    let outcome = run_all(conn, jobs, alone, &mut waiting).await;
    let outcome = match outcome {
        Ok(()) => conn.execute("COMMIT").await.map_err(StoreError::from),
        Err(error) => Err(error),
    };
    for tell in waiting {
        tell(outcome.clone());
    }
    outcome
}

async fn run_all(
    conn: &mut Conn,
    jobs: impl Iterator<Item = Job>,
    alone: bool,
    waiting: &mut Vec<Committed>,
) -> Result<(), StoreError> {
    for job in jobs {
        if !alone {
            conn.execute("SAVEPOINT job").await?;
        }
        // A panic in one job must not end the writing of all.
        let done = std::panic::AssertUnwindSafe(job(conn)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("a write panicked; it was taken back");
            None
        });
        match done {
            Some(tell) => {
                waiting.push(tell);
                if !alone {
                    conn.execute("RELEASE job").await?;
                }
            }
            None if alone => return conn.execute("ROLLBACK; BEGIN").await.map_err(StoreError::from),
            None => conn.execute("ROLLBACK TO job; RELEASE job").await?,
        }
    }
    Ok(())
}
