//! A whole database elsewhere: moved to another engine, into a backup, out of one.
//!
//! All three are one thing: rows copied from one [`Side`] to another that has the same schema, table by table
//! in the order of their foreign keys, each in the order of its primary key, in bounded batches; then both
//! sides are counted and digested and must agree. What tables there are and what their columns hold is read
//! from the catalogs (`catalog`), so a table added by a later migration takes part by itself, or the transfer
//! says what it can't carry. Sealed columns travel as the bytes they are; no key is needed.
//!
//! - [`move_to`] fills another database and can be interrupted: the batches that were committed are a prefix
//!   of each table, so the next run goes on after the greatest key. Until it is done, a table in the target
//!   names the source; a server refuses such a database.
//! - [`back_up`] reads one snapshot while servers write, into a file (`backup`) that is verified before it gets
//!   its name. [`restore`] is a move out of such a file.

mod backup;
mod catalog;
mod cells;
mod copy;
mod files;
mod marker;
mod schema;
mod side;

use std::path::PathBuf;

use anteroom_model::time::Timestamp;

pub use backup::{Manifest, TableManifest, back_up, restore};
pub use copy::{Progress, Summary, TableSummary};
pub use side::Side;

use crate::{
    conn::{Conn, on},
    sql,
};
use catalog::Table;
use side::Role;

/// Why a transfer was refused or failed. No value of any row is ever part of it.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// Something about a side that has to be changed first; a whole sentence.
    #[error("{0}")]
    Refused(String),
    /// The rows of a table can't be carried over.
    #[error("table {table}")]
    Table {
        /// Which.
        table: String,
        /// What the database or a conversion said.
        #[source]
        error: sqlx::Error,
    },
    /// What was copied is not what there is to copy.
    #[error("{}", .0.differences())]
    Differs(Summary),
    /// A database failed outside of any table.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// A migration failed.
    #[error("the database could not be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A file can't be made, read or renamed.
    #[error("{}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
}

impl TransferError {
    fn refused<T>(sentence: impl Into<String>) -> Result<T, Self> {
        Err(Self::Refused(sentence.into()))
    }
}

/// Told how far it is.
pub type Watcher<'a> = &'a mut (dyn FnMut(Progress<'_>) + Send);

/// Copies all rows of `from` to `to`, which must be empty or hold a part of the same move, and verifies them.
/// Neither may be served meanwhile. Both are brought to the newest migration first.
pub async fn move_to(
    from: &Side,
    to: &Side,
    now: Timestamp,
    watcher: Watcher<'_>,
) -> Result<Summary, TransferError> {
    if from == to {
        return TransferError::refused("both sides are the same database");
    }
    let mut source = from.open(Role::Source).await?;
    side::not_served(&mut source, from).await?;
    schema::bring_to_newest(&mut source, from).await?;
    if marker::read(&mut source).await?.is_some() {
        return TransferError::refused(format!("{from} is itself the target of an unfinished move"));
    }
    source.execute_either("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let Some(name) = marker::of_source(&mut source).await? else {
        return TransferError::refused(format!("{from} holds no organization: there is nothing to move"));
    };
    let summary = fill(&mut source, to, &name, Fill::Moved, now, watcher).await?;
    // Whatever a node wrote meanwhile would be missing over there.
    side::not_served(&mut source, from).await?;
    side::close(source).await?;
    Ok(summary)
}

/// Why a target is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    Moved,
    Restored,
}

/// Fills the database `to` with the rows of `source`, whose transaction has begun; or goes on with that.
async fn fill(
    source: &mut Conn,
    to: &Side,
    name: &[u8],
    why: Fill,
    now: Timestamp,
    watcher: Watcher<'_>,
) -> Result<Summary, TransferError> {
    if let Some(path) = to.path() {
        files::create_private(path)?;
    }
    let mut target = to.open(Role::Target).await?;
    side::not_served(&mut target, to).await?;
    side::only_one(&mut target, to).await?;
    schema::bring_to_newest(&mut target, to).await?;
    let tables = catalog::join(catalog::read(source).await?, catalog::read(&mut target).await?)?;
    match marker::read(&mut target).await? {
        None => {
            refuse_rows(&mut target, &tables, to).await?;
            marker::write(&mut target, name).await?;
        }
        Some(begun) if begun == name => {}
        Some(_) => {
            return TransferError::refused(format!(
                "{to} holds a part of something else that was never finished: empty it first"
            ));
        }
    }
    let summary = copy_and_compare(source, &mut target, &tables, watcher).await?;
    side::not_served(&mut target, to).await?;
    finish(&mut target, why, now).await?;
    side::close(target).await?;
    Ok(summary)
}

async fn copy_and_compare(
    source: &mut Conn,
    target: &mut Conn,
    tables: &[Table],
    watcher: Watcher<'_>,
) -> Result<Summary, TransferError> {
    for table in tables {
        copy::copy(source, target, table, watcher).await?;
    }
    let summary = copy::compare(source, target, tables, watcher).await?;
    if summary.agrees() { Ok(summary) } else { Err(TransferError::Differs(summary)) }
}

/// A target must be empty; nothing is ever overwritten.
async fn refuse_rows(conn: &mut Conn, tables: &[Table], side: &Side) -> Result<(), TransferError> {
    for table in tables {
        if table.has_rows(conn).await? {
            let name = &table.name;
            return TransferError::refused(format!(
                "{side} is not empty, table {name} has rows: choose an empty database"
            ));
        }
    }
    Ok(())
}

/// The nodes that held leases are not there any more; and the database may be served from now on.
async fn finish(conn: &mut Conn, why: Fill, now: Timestamp) -> Result<(), TransferError> {
    conn.execute("BEGIN").await?;
    on!(conn, c => {
        sqlx::query(sql!("messages/release_leases"))
            .bind(now)
            .bind(now.plus(crate::queue::SETTLE))
            .bind(None::<anteroom_model::ids::NodeId>)
            .execute(c)
            .await
            .map(drop)
    })?;
    if why == Fill::Restored {
        // What waited when the backup was made may have been sent since: the carrier is asked first.
        on!(conn, c => sqlx::query(sql!("messages/doubt_waiting")).execute(c).await.map(drop))?;
    }
    marker::remove(conn).await?;
    Ok(conn.commit().await?)
}

impl crate::Store {
    /// Whether the database holds a part of a move or a restore that was never finished.
    pub async fn is_half_moved(&self) -> Result<bool, crate::StoreError> {
        let mut conn = self.reader().await?;
        Ok(marker::is_there(&mut conn).await?)
    }
}
