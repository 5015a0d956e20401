//! PostgreSQL: many nodes, each with a pool.
//!
//! A unit of work is a transaction on a connection of its own; PostgreSQL groups the commits. What arrives is
//! still gathered, since one statement for many rows costs little more than for one. Nodes tell each other of
//! commits with `NOTIFY`, outside of the transactions: within one it would make all commits wait in line.

use std::{collections::HashSet, panic::AssertUnwindSafe, str::FromStr, sync::Arc, time::Duration};

use futures::FutureExt;
use metrics::histogram;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    StoreError, StoreOptions,
    conn::Conn,
    inbound::{self, Arrival},
    signals::{Signal, Signals},
    writer::Job,
};

pub(crate) static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/postgres");

/// The channel of `NOTIFY`.
const CHANNEL: &str = "anteroom";
/// How long a request waits for a free connection, or for the server to take a new one.
const ACQUIRE: Duration = Duration::from_secs(4);
/// After that a unit of work is given up and its connection closed. Longer than the server's own limits, so
/// that it is the server's silence that is meant.
const WORK: Duration = Duration::from_secs(20);
/// Statements of one insert under way at once: while one is flushed, the next one is sent.
const INSERTS: usize = 2;
/// Signals to other nodes are gathered for so long.
const GATHER: Duration = Duration::from_millis(5);
/// Between tries to reach the server.
const AGAIN: Duration = Duration::from_secs(1);

/// Connects, brings the database to the newest migration; gives the pool and the tasks that write.
pub(crate) async fn open(
    options: &StoreOptions,
    jobs: mpsc::Receiver<Job>,
    arrivals: mpsc::Receiver<Arrival>,
    others: mpsc::Receiver<Signal>,
    signals: Arc<Signals>,
) -> Result<(PgPool, Vec<JoinHandle<()>>), StoreError> {
    let lock_timeout = options.lock_timeout.as_millis().to_string();
    let connect = PgConnectOptions::from_str(&options.url)?
        .application_name("anteroom")
        .statement_cache_capacity(256)
        .options([
            ("lock_timeout", lock_timeout.as_str()),
            ("statement_timeout", "15000"),
            // Between two statements of a unit of work there are milliseconds: a node that is silent for longer
            // is gone, and must not keep the locks of others for long. The same for one that can't be reached.
            ("idle_in_transaction_session_timeout", "5000"),
            ("tcp_user_timeout", "10000"),
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "2"),
            ("tcp_keepalives_count", "3"),
        ]);
    let pool = PgPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(ACQUIRE)
        .connect_with(connect)
        .await?;
    MIGRATIONS.run(&pool).await.map_err(|error| StoreError::Migrate(error.to_string()))?;
    // Readers are never without a connection.
    let writers = (options.connections as usize * 2 / 3).max(1);
    let tasks = vec![
        tokio::spawn(work(pool.clone(), jobs, writers)),
        tokio::spawn(receive(pool.clone(), arrivals, signals.clone())),
        tokio::spawn(tell_others(pool.clone(), others)),
        tokio::spawn(listen(pool.clone(), signals)),
    ];
    Ok((pool, tasks))
}

/// Runs each job in a transaction of its own, `at_once` at the same time.
async fn work(pool: PgPool, mut jobs: mpsc::Receiver<Job>, at_once: usize) {
    let places = Arc::new(Semaphore::new(at_once));
    while let Ok(place) = places.clone().acquire_owned().await
        && let Some(job) = jobs.recv().await
    {
        let pool = pool.clone();
        tokio::spawn(async move {
            on_a_connection(&pool, "a unit of work", async |conn| transaction(conn, job).await).await;
            drop(place);
        });
    }
}

/// Inserts what arrives.
async fn receive(pool: PgPool, mut arrivals: mpsc::Receiver<Arrival>, signals: Arc<Signals>) {
    let places = Arc::new(Semaphore::new(INSERTS));
    while let Ok(place) = places.clone().acquire_owned().await {
        let mut texts = Vec::with_capacity(inbound::ROWS);
        if arrivals.recv_many(&mut texts, inbound::ROWS).await == 0 {
            return;
        }
        histogram!("anteroom_store_batch_texts")
            .record(f64::from(u32::try_from(texts.len()).unwrap_or(u32::MAX)));
        let (pool, signals) = (pool.clone(), signals.clone());
        tokio::spawn(async move {
            let store = async |conn: &mut Conn| inbound::commit(conn, texts, &signals).await;
            on_a_connection(&pool, "storing texts", store).await;
            drop(place);
        });
    }
}

/// Does `what` on a connection, which goes back to the pool only if all went well. Who waits for something that
/// wasn't begun is told so by the end of its channel.
async fn on_a_connection<F>(pool: &PgPool, name: &'static str, what: F)
where
    F: AsyncFnOnce(&mut Conn) -> Result<(), StoreError>,
{
    let mut conn = match pool.acquire().await {
        Ok(conn) => Conn::Postgres(conn),
        Err(error) => {
            tracing::error!(%error, "{name}: no connection to the database");
            return;
        }
    };
    match timeout(WORK, AssertUnwindSafe(what(&mut conn)).catch_unwind()).await {
        Ok(Ok(Ok(()))) => return,
        Ok(Ok(Err(error))) => tracing::error!(%error, "{name} failed; nothing of it was kept"),
        Ok(Err(_)) => tracing::error!("{name} panicked; it was taken back"),
        Err(_) => tracing::error!("{name}: the database didn't answer in time"),
    }
    // Whatever state it is in, a transaction of it ends with it.
    if let Conn::Postgres(conn) = conn {
        drop(conn.detach());
    }
}

async fn transaction(conn: &mut Conn, job: Job) -> Result<(), StoreError> {
    conn.execute("BEGIN").await?;
    let Some(tell) = job(conn).await else {
        return Ok(conn.execute("ROLLBACK").await?);
    };
    let outcome = conn.commit().await.map_err(StoreError::from);
    tell(outcome.clone());
    outcome
}

/// Tells the other nodes, many signals at a time.
async fn tell_others(pool: PgPool, mut signals: mpsc::Receiver<Signal>) {
    let mut gathered = Vec::new();
    while signals.recv_many(&mut gathered, 1_024).await > 0 {
        // Each once, in their order: of what somebody does, the last counts.
        let mut seen = HashSet::new();
        let texts: Vec<_> =
            gathered.drain(..).filter(|one| seen.insert(one.clone())).map(|one| one.text()).collect();
        let told = sqlx::query("SELECT pg_notify($1, text) FROM UNNEST($2::text[]) AS text")
            .bind(CHANNEL)
            .bind(texts)
            .execute(&pool)
            .await;
        if let Err(error) = told {
            tracing::warn!(%error, "the other nodes could not be told; they look by themselves");
        }
        tokio::time::sleep(GATHER).await;
    }
}

/// Hears what other nodes tell, for ever.
async fn listen(pool: PgPool, signals: Arc<Signals>) {
    loop {
        if let Err(error) = hear(&pool, &signals).await {
            tracing::warn!(%error, "other nodes can't be heard; this one looks by itself until they can");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn hear(pool: &PgPool, signals: &Signals) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    // Something may have happened while nobody listened.
    signals.raise_here(Signal::Inbound);
    signals.raise_here(Signal::Outbound);
    while let Some(said) = listener.try_recv().await? {
        if let Some(signal) = Signal::parse(said.payload()) {
            signals.raise_here(signal);
        }
    }
    Ok(())
}
