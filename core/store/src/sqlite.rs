//! `SQLite`: one file, one connection that writes, several that read.

use std::{str::FromStr, sync::Arc};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    StoreError, StoreOptions, checkpoint, conn::Conn, inbound::Arrival, planner, signals::Signals, writer,
};

pub(crate) static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Opens the file and brings it to the newest migration; gives the pool of readers and the tasks of the writer.
pub(crate) async fn open(
    options: &StoreOptions,
    jobs: mpsc::Receiver<writer::Job>,
    arrivals: mpsc::Receiver<Arrival>,
    signals: Arc<Signals>,
) -> Result<(SqlitePool, Vec<JoinHandle<()>>), StoreError> {
    let connect = SqliteConnectOptions::from_str(&options.url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.lock_timeout)
        .statement_cache_capacity(512)
        .pragma("cache_size", "-65536")
        .pragma("temp_store", "memory")
        // Sealed bytes of deleted rows are not left lying in free pages either.
        .pragma("secure_delete", "fast")
        .pragma("wal_autocheckpoint", "0")
        .pragma("journal_size_limit", "67108864");
    let lifelong = || SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None);
    let writers = lifelong().max_connections(2).connect_with(connect.clone()).await?;
    MIGRATIONS.run(&writers).await.map_err(|error| StoreError::Migrate(error.to_string()))?;
    planner::inform(&mut Conn::Sqlite(writers.acquire().await?)).await?;
    let readers = lifelong()
        .max_connections(options.connections)
        .connect_with(connect.pragma("query_only", "on"))
        .await?;
    let writer_conn = Conn::Sqlite(writers.acquire().await?);
    let checkpoint_conn = Conn::Sqlite(writers.acquire().await?);
    let tasks = vec![
        tokio::spawn(writer::run(writer_conn, jobs, arrivals, signals)),
        tokio::spawn(checkpoint::run(checkpoint_conn)),
    ];
    Ok((readers, tasks))
}
