//! Which migrations a database has had.

use sqlx::migrate::Migrator;

use super::{Side, TransferError, marker};
use crate::{conn::Conn, postgres, sqlite};

const fn migrations(conn: &Conn) -> &'static Migrator {
    match conn {
        Conn::Sqlite(_) => &sqlite::MIGRATIONS,
        Conn::Postgres(_) => &postgres::MIGRATIONS,
    }
}

/// The newest migration that this program knows. The same for both engines: their folders are twins.
pub(super) fn newest() -> i64 {
    sqlite::MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// The newest migration that the database has had; `None` where it never had any.
pub(super) async fn version(conn: &mut Conn) -> Result<Option<i64>, sqlx::Error> {
    if !marker::table_exists(conn, "_sqlx_migrations").await? {
        return Ok(None);
    }
    conn.scalar("SELECT MAX(version) FROM _sqlx_migrations WHERE success".to_owned()).await
}

/// Refuses what a newer program has made; gives the version of what is older or equal.
pub(super) async fn known_version(conn: &mut Conn, side: &Side) -> Result<Option<i64>, TransferError> {
    let version = version(conn).await?;
    match version {
        Some(found) if found > newest() => TransferError::refused(format!(
            "{side} was written by a newer anteroom (schema {found}; this one knows them up to {}): use that \
             version's program",
            newest()
        )),
        version => Ok(version),
    }
}

/// Applies the migrations that are missing.
pub(super) async fn bring_to_newest(conn: &mut Conn, side: &Side) -> Result<(), TransferError> {
    bring_to(conn, side, newest()).await
}

/// Applies the migrations that are missing up to `version`.
pub(super) async fn bring_to(conn: &mut Conn, side: &Side, version: i64) -> Result<(), TransferError> {
    known_version(conn, side).await?;
    let migrations = migrations(conn);
    match conn {
        Conn::Sqlite(conn) => migrations.run_direct(Some(version), &mut **conn, false).await?,
        Conn::Postgres(conn) => migrations.run_direct(Some(version), &mut **conn, false).await?,
    }
    Ok(())
}
