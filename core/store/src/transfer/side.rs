//! One side of a transfer: where it is, and a connection to it.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sqlx::{
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions, SqliteSynchronous,
    },
};

use super::TransferError;
use crate::conn::{Conn, on};

/// The server notices a little later that a process has ended.
const TRIES: u32 = 10;
const AGAIN: Duration = Duration::from_millis(200);
/// What the nodes of a server call themselves, and what a transfer does.
const NODE: &str = "anteroom";
const TRANSFER: &str = "anteroom transfer";
/// `pg_try_advisory_lock` of whoever fills a database: "anteroom" in ASCII.
const LOCK: i64 = 0x616e_7465_726f_6f6d;
/// How long another one's lock is waited for where nobody else should be.
const SHORT: Duration = Duration::from_millis(500);
/// And where servers write meanwhile.
const LONG: Duration = Duration::from_secs(10);

/// A database: a file of `SQLite`, or one on a PostgreSQL server.
#[derive(Clone, PartialEq, Eq)]
pub enum Side {
    /// The file.
    Sqlite(PathBuf),
    /// `postgres://…`, with the password if there is one.
    Postgres(String),
}

/// What a side is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Read, by nobody else meanwhile.
    Source,
    /// Filled, by nobody else meanwhile.
    Target,
    /// Read while servers write.
    Served,
    /// A backup being written, which is worth nothing until it is whole.
    Draft,
    /// A finished backup.
    Backup,
}

impl Side {
    /// From `sqlite:path`, `sqlite://path`, `postgres://…` or `postgresql://…`.
    pub fn parse(url: &str) -> Result<Self, TransferError> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            PgConnectOptions::from_str(url)?;
            return Ok(Self::Postgres(url.to_owned()));
        }
        if !url.starts_with("sqlite:") {
            return TransferError::refused("a database URL begins with postgres:// or sqlite:");
        }
        if url.contains(":memory:") || url.contains("mode=memory") {
            return TransferError::refused("a database in memory can't be moved: name a file");
        }
        Ok(Self::Sqlite(SqliteConnectOptions::from_str(url)?.get_filename().to_owned()))
    }

    /// The file, where it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    pub(super) const fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    pub(super) async fn open(&self, role: Role) -> Result<Conn, TransferError> {
        let opened = match self {
            Self::Sqlite(path) => open_sqlite(path, role).await,
            Self::Postgres(url) => {
                let options = PgConnectOptions::from_str(url)?.application_name(TRANSFER);
                let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await;
                match pool {
                    Ok(pool) => pool.acquire().await.map(Conn::Postgres),
                    Err(error) => Err(error),
                }
            }
        };
        opened.map_err(|error| self.opening(error))
    }

    fn opening(&self, error: sqlx::Error) -> TransferError {
        let Self::Sqlite(path) = self else { return error.into() };
        let (missing, path) = (!path.exists(), path.display());
        match sqlite_code(&error) {
            _ if missing => TransferError::Refused(format!("there is no file {path}")),
            // SQLITE_BUSY
            Some(5) => TransferError::Refused(format!(
                "{path} is in use by another process: stop the anteroom that serves it first"
            )),
            // SQLITE_CORRUPT and SQLITE_NOTADB
            Some(11) => TransferError::Refused(format!("{path} is damaged")),
            Some(26) => TransferError::Refused(format!("{path} is not a database, or it is damaged")),
            _ => error.into(),
        }
    }
}

/// The primary result code of an error of `SQLite`.
pub(super) fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let sqlx::Error::Database(error) = error else { return None };
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    error.code()?.parse::<u32>().ok().map(|code| code & 0xff)
}

async fn open_sqlite(path: &Path, role: Role) -> Result<Conn, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(true).busy_timeout(SHORT);
    // Held exclusively, a file that anybody else has open can't be opened, whether they know of our locks or
    // not.
    let options = match role {
        Role::Source => options.locking_mode(SqliteLockingMode::Exclusive),
        Role::Target => options
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full),
        Role::Served => options.busy_timeout(LONG).pragma("query_only", "on"),
        Role::Draft => options
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off),
        Role::Backup => options.read_only(true).immutable(true),
    };
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await?;
    let mut conn = Conn::Sqlite(pool.acquire().await?);
    // The file is looked at, and locked, by the first statement that needs it.
    conn.execute("SELECT COUNT(*) FROM sqlite_schema").await?;
    Ok(conn)
}

/// Closes a connection, and with it the file.
pub(super) async fn close(conn: Conn) -> Result<(), sqlx::Error> {
    match conn {
        Conn::Sqlite(conn) => conn.close().await,
        Conn::Postgres(conn) => conn.close().await,
    }
}

/// Refuses a database to which nodes are connected. A file is locked instead.
pub(super) async fn not_served(conn: &mut Conn, side: &Side) -> Result<(), TransferError> {
    const NODES: &str =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1";
    let Conn::Postgres(conn) = conn else { return Ok(()) };
    let mut nodes: i64 = 0;
    for _ in 0..TRIES {
        nodes = sqlx::query_scalar(NODES).bind(NODE).fetch_one(&mut **conn).await?;
        if nodes == 0 {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
    }
    TransferError::refused(format!("{side} is being served ({nodes} connections): stop its nodes first"))
}

/// Refuses a database that another transfer is filling; until the connection ends.
pub(super) async fn only_one(conn: &mut Conn, side: &Side) -> Result<(), TransferError> {
    let Conn::Postgres(conn) = conn else { return Ok(()) };
    for _ in 0..TRIES {
        let locked: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut **conn).await?;
        if locked {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
    }
    TransferError::refused(format!("{side} is being filled by another process"))
}

impl Conn {
    /// Runs the statement of this connection's engine.
    pub(super) async fn execute_either(
        &mut self,
        sqlite: &'static str,
        postgres: &'static str,
    ) -> Result<(), sqlx::Error> {
        self.execute(self.pick(crate::conn::Twin { sqlite, postgres })).await
    }

    /// One value of a statement that was put together.
    pub(super) async fn scalar<T>(&mut self, statement: String) -> Result<T, sqlx::Error>
    where
        T: Send
            + Unpin
            + for<'r> sqlx::Decode<'r, sqlx::Sqlite>
            + for<'r> sqlx::Decode<'r, sqlx::Postgres>
            + sqlx::Type<sqlx::Sqlite>
            + sqlx::Type<sqlx::Postgres>,
    {
        on!(self, c => sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(c).await)
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            // The URL may hold a password.
            Self::Postgres(url) => match PgConnectOptions::from_str(url) {
                Ok(options) => {
                    let database = options.get_database().unwrap_or(options.get_username());
                    write!(f, "postgres://{}:{}/{database}", options.get_host(), options.get_port())
                }
                Err(_) => f.write_str("postgres://…"),
            },
        }
    }
}

impl fmt::Debug for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Side({self})")
    }
}
