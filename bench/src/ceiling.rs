//! The ceiling: the same rows, sealed beforehand, written by one connection in groups, with nothing around
//! it. Same schema, same pragmas, same disk; a commit and its flush for each group.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anteroom::clock::{SystemClock, system_ids};
use anteroom_model::ids::{MessageId, NumberId, OrganizationId};
use anteroom_store::{MasterKey, NewInbound, OrganizationSettings, Store, StoreOptions};
use anteroom_test_support::postgres::{Cluster, Database};
use sqlx::{
    ConnectOptions, Connection, PgConnection, QueryBuilder, Sqlite, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    Failure,
    delivery::{self, Sid},
    load::Row,
    stats::{Times, millis, rate},
};

const GROUPS: [usize; 3] = [1, 32, 256];
/// Rows sealed for each second: above what any group reaches here.
const PER_SECOND: usize = 80_000;

pub(crate) fn print(
    dir: &Path,
    cluster: Option<&Cluster>,
    measured: Duration,
    alone: &[Row],
) -> Result<Option<f64>, Failure> {
    let engine = if cluster.is_some() { "PostgreSQL" } else { "SQLite" };
    println!(
        "\nThe ceiling: the same rows written straight into {engine}, one commit a group ({measured:?} a row)\n"
    );
    println!("  rows a group              rows/s   p50 ms   p99 ms   ingress alone / this");
    let mut share = None;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for group in GROUPS {
        let (rows, took, commits) = match cluster {
            Some(cluster) => runtime.block_on(write_postgres(&cluster.fresh_database(), group, measured))?,
            None => runtime.block_on(write(dir, group, measured))?,
        };
        let per_second = rate(rows, took);
        // As many at once over HTTP as may share a commit here; the most there were, for larger groups.
        let fair = alone.iter().find(|row| row.connections >= group).or(alone.last());
        let ratio = fair.map(|row| row.per_second() / per_second);
        if group == 32 {
            share = ratio;
        }
        let ratio = fair.zip(ratio).map_or("-".to_owned(), |(row, ratio)| {
            format!("{ratio:.2} (at {} connections)", row.connections)
        });
        println!(
            "  {group:<20} {per_second:>11.0} {:>8.2} {:>8.2}   {ratio}",
            millis(commits.percentile(50)),
            millis(commits.percentile(99))
        );
    }
    Ok(share)
}

async fn write(dir: &Path, group: usize, measured: Duration) -> Result<(usize, Duration, Times), Failure> {
    let folder = tempfile::tempdir_in(dir)?;
    let database = folder.path().join("anteroom.db");
    let count = PER_SECOND.min(group * 10_000) * usize::try_from(measured.as_secs().max(1))?;
    let rows = sealed_rows(&StoreOptions::sqlite(&database), count).await?;

    let mut writer = open(&database).await?;
    let mut checkpointer = open(&database).await?;
    // As the store does it: beside the writer, so that no commit waits for it.
    let checkpoints = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut checkpointer).await.is_err() {
                return;
            }
        }
    });
    let started = Instant::now();
    let mut commits = Vec::new();
    let mut written = 0;
    for group in rows.chunks_exact(group) {
        let began = Instant::now();
        if began - started >= measured {
            break;
        }
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut writer).await?;
        insert(&mut writer, group).await?;
        sqlx::raw_sql("COMMIT").execute(&mut writer).await?;
        commits.push(began.elapsed());
        written += group.len();
    }
    let took = started.elapsed();
    checkpoints.abort();
    Ok((written, took, Times::new(commits)))
}

/// The statement that the store uses, on one connection.
async fn write_postgres(
    database: &Database,
    group: usize,
    measured: Duration,
) -> Result<(usize, Duration, Times), Failure> {
    let count = PER_SECOND.min(group * 10_000) * usize::try_from(measured.as_secs().max(1))?;
    let rows = sealed_rows(&StoreOptions::url(&database.url()), count).await?;
    let mut writer = PgConnection::connect(&database.url()).await?;
    let started = Instant::now();
    let mut commits = Vec::new();
    let mut written = 0;
    for group in rows.chunks_exact(group) {
        let began = Instant::now();
        if began - started >= measured {
            break;
        }
        let ids = |id: fn(&NewInbound) -> uuid::Uuid| group.iter().map(id).collect::<Vec<_>>();
        let bytes = |bytes: fn(&NewInbound) -> &[u8]| group.iter().map(bytes).collect::<Vec<_>>();
        sqlx::query(include_str!("../../core/store/queries/messages/receive.postgres.sql"))
            .bind(ids(|row| row.organization.0))
            .bind(ids(|row| row.id.0))
            .bind(ids(|row| row.carrier_account.0))
            .bind(ids(|row| row.number.0))
            .bind(bytes(|row| &row.peer_hash))
            .bind(bytes(|row| &row.peer))
            .bind(bytes(|row| &row.body))
            .bind(group.iter().map(|row| row.extra.as_deref()).collect::<Vec<_>>())
            .bind(group.iter().map(|row| row.carrier_message_id.as_str()).collect::<Vec<_>>())
            .bind(group.iter().map(|row| row.at.micros()).collect::<Vec<_>>())
            .execute(&mut writer)
            .await?;
        commits.push(began.elapsed());
        written += group.len();
    }
    Ok((written, started.elapsed(), Times::new(commits)))
}

/// What [`Store::open`] sets for its writer.
async fn open(database: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new()
        .filename(database)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", "-65536")
        .pragma("temp_store", "memory")
        .pragma("secure_delete", "fast")
        .pragma("wal_autocheckpoint", "0")
        .pragma("journal_size_limit", "67108864")
        .connect()
        .await
}

/// Makes the database with one organization, and rows as ingress would seal them.
async fn sealed_rows(options: &StoreOptions, count: usize) -> Result<Vec<NewInbound>, Failure> {
    let ids = Arc::new(system_ids());
    let master = MasterKey::new(ids.secret());
    let store = Store::open(options, master, ids.clone(), Arc::new(SystemClock)).await?;
    let organization: OrganizationId =
        store.create_organization("Benchmark", &OrganizationSettings::default()).await?;
    let keys = store.keys(organization).await?;
    let carrier_account = ids.next(store.now());
    let number: NumberId = ids.next(store.now());
    let row = |index: usize| {
        let at = store.now();
        let id: MessageId = ids.next(at);
        let from = delivery::from(index);
        Ok(NewInbound {
            organization,
            id,
            carrier_account,
            number,
            peer_hash: keys.lookup("phone", &from),
            peer: keys.seal("messages.peer", id.0, from.as_bytes())?,
            body: keys.seal("messages.body", id.0, delivery::text().as_bytes())?,
            extra: None,
            carrier_message_id: Sid::of(index).as_str().to_owned(),
            at,
        })
    };
    (0..count).map(row).collect()
}

async fn insert(connection: &mut SqliteConnection, rows: &[NewInbound]) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "INSERT INTO messages (organization_id, id, direction, carrier_account_id, number_id, peer_hash, \
         peer, body, extra, carrier_message_id, author, state, due_at, created_at) ",
    );
    query.push_values(rows, |mut values, row| {
        values
            .push_bind(row.organization)
            .push_bind(row.id)
            .push_bind("inbound")
            .push_bind(row.carrier_account)
            .push_bind(row.number)
            .push_bind(row.peer_hash.as_slice())
            .push_bind(row.peer.as_slice())
            .push_bind(row.body.as_slice())
            .push_bind(row.extra.as_deref())
            .push_bind(row.carrier_message_id.as_str())
            .push_bind("patient")
            .push_bind("received")
            .push_bind(row.at)
            .push_bind(row.at);
    });
    query.build().execute(connection).await.map(drop)
}
