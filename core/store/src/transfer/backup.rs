//! Backups: one file of `SQLite` whatever the engine, with the schema that the database had and a manifest.
//!
//! The file holds what the database holds: sealed columns and wrapped keys, nothing that opens them.

use std::path::Path;

use anteroom_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Fill, Side, Summary, TransferError, Watcher, catalog,
    catalog::Table,
    copy::{self, Contents},
    copy_and_compare,
    files::{self, Draft},
    fill, finish, marker, schema,
    side::{self, Role, sqlite_code},
};
use crate::conn::Conn;

/// The table that makes a file a backup.
pub(super) const TABLE: &str = "anteroom_backup";
/// How the manifest is written.
const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// How this manifest is written; 1.
    pub format: u32,
    /// The newest migration that the database had had.
    pub schema: i64,
    /// When it was begun. Everything committed before is in it.
    pub made_at: Timestamp,
    /// `sqlite` or `postgres`: where it comes from.
    pub engine: String,
    /// In the order in which they can be restored.
    pub tables: Vec<TableManifest>,
}

/// What a backup says of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableManifest {
    /// Its name.
    pub name: String,
    /// How many.
    pub rows: u64,
    /// SHA-256 over the rows as the file holds them, in hexadecimal digits.
    pub sha256: String,
}

/// Writes all rows of `from`, as they are at one moment, to the new file `to`, and verifies it. Servers may
/// go on meanwhile; a file of `SQLite` keeps what they write in its log until this is done.
pub async fn back_up(
    from: &Side,
    to: &Path,
    now: Timestamp,
    watcher: Watcher<'_>,
) -> Result<(Manifest, Summary), TransferError> {
    let mut source = from.open(Role::Served).await?;
    source.execute_either("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let Some(version) = schema::known_version(&mut source, from).await? else {
        return TransferError::refused(format!("{from} is not a database of anteroom"));
    };
    if marker::is_there(&mut source).await? {
        return TransferError::refused(format!(
            "{from} holds a part of an unfinished move: finish that first"
        ));
    }
    let draft = Draft::begin(to)?;
    let file = Side::Sqlite(draft.path().to_owned());
    let mut target = file.open(Role::Draft).await?;
    schema::bring_to(&mut target, &file, version).await?;
    let own = catalog::read(&mut target).await?;
    let tables = catalog::join(catalog::read(&mut source).await?, own.clone())?;
    let summary = copy_and_compare(&mut source, &mut target, &tables, watcher).await?;
    side::close(source).await?;
    let made_at = now;
    let described = describe(&mut target, &catalog::in_order(own.into_values().collect())?).await?;
    let manifest = Manifest {
        format: FORMAT,
        schema: version,
        made_at,
        engine: from.engine().to_owned(),
        tables: described,
    };
    write_manifest(&mut target, &manifest).await?;
    side::close(target).await?;
    draft.sync()?;
    if check(draft.path()).await? != manifest {
        return TransferError::refused(format!(
            "{} did not keep what was written to it",
            draft.path().display()
        ));
    }
    draft.publish()?;
    Ok((manifest, summary))
}

/// Verifies the backup `from` and copies it to `to`, which must be empty; then verifies that too. An
/// interrupted restore into PostgreSQL is taken up again by the same command.
pub async fn restore(
    from: &Path,
    to: &Side,
    now: Timestamp,
    watcher: Watcher<'_>,
) -> Result<(Manifest, Summary), TransferError> {
    if let Some(path) = to.path() {
        // Said before the backup is read: that takes its time.
        drop(Draft::begin(path)?);
    }
    let manifest = check(from).await?;
    let older;
    let mut source = if manifest.schema < schema::newest() {
        older = brought_up(from).await?;
        Side::Sqlite(older.path().to_owned()).open(Role::Backup).await?
    } else {
        Side::Sqlite(from.to_owned()).open(Role::Backup).await?
    };
    let summary = match to.path() {
        None => {
            let json = serde_json::to_vec(&manifest).map_err(|error| unreadable(&error))?;
            let name = Sha256::new_with_prefix("anteroom restore v1").chain_update(json).finalize();
            fill(&mut source, to, &name, Fill::Restored, now, watcher).await?
        }
        Some(path) => fill_file(&mut source, path, now, watcher).await?,
    };
    side::close(source).await?;
    Ok((manifest, summary))
}

/// A file gets its name once everything is in it.
async fn fill_file(
    source: &mut Conn,
    path: &Path,
    now: Timestamp,
    watcher: Watcher<'_>,
) -> Result<Summary, TransferError> {
    let draft = Draft::begin(path)?;
    let file = Side::Sqlite(draft.path().to_owned());
    let mut target = file.open(Role::Draft).await?;
    schema::bring_to_newest(&mut target, &file).await?;
    let tables = catalog::join(catalog::read(source).await?, catalog::read(&mut target).await?)?;
    let summary = copy_and_compare(source, &mut target, &tables, watcher).await?;
    finish(&mut target, Fill::Restored, now).await?;
    side::close(target).await?;
    draft.publish()?;
    Ok(summary)
}

/// A copy of an older backup beside it, brought to the newest migration; gone when dropped.
async fn brought_up(from: &Path) -> Result<Draft, TransferError> {
    let mut name = from.file_name().unwrap_or_default().to_owned();
    name.push(".newer");
    let draft = Draft::begin(&from.with_file_name(name))?;
    files::copy_into(&draft, from)?;
    let file = Side::Sqlite(draft.path().to_owned());
    let mut conn = file.open(Role::Draft).await?;
    schema::bring_to_newest(&mut conn, &file).await?;
    side::close(conn).await?;
    Ok(draft)
}

/// Reads a backup whole: what it says of itself must be so.
async fn check(path: &Path) -> Result<Manifest, TransferError> {
    let side = Side::Sqlite(path.to_owned());
    let mut conn = side.open(Role::Backup).await?;
    let checked = check_open(&mut conn, &side).await;
    side::close(conn).await?;
    checked.map_err(|error| match &error {
        TransferError::Database(cause) | TransferError::Table { error: cause, .. }
            if matches!(sqlite_code(cause), Some(11 | 26)) || is_no_text(cause) =>
        {
            damaged(&side)
        }
        _ => error,
    })
}

/// What should be text is none: the page that holds it was overwritten.
const fn is_no_text(cause: &sqlx::Error) -> bool {
    matches!(cause, sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_))
}

fn damaged(side: &Side) -> TransferError {
    TransferError::Refused(format!("{side} is damaged: use another backup"))
}

async fn check_open(conn: &mut Conn, side: &Side) -> Result<Manifest, TransferError> {
    if !marker::table_exists(conn, TABLE).await? {
        return TransferError::refused(format!("{side} is not a backup made by anteroom backup"));
    }
    let text: String = conn.scalar("SELECT manifest FROM anteroom_backup".to_owned()).await?;
    let manifest: serde_json::Value = serde_json::from_str(&text).map_err(|_| damaged(side))?;
    // A newer program may write it otherwise, so these two are looked at first.
    let known = manifest["format"].as_u64() == Some(u64::from(FORMAT));
    if !known || manifest["schema"].as_i64().is_none_or(|schema| schema > schema::newest()) {
        return TransferError::refused(format!(
            "{side} was written by a newer anteroom (schema {}; this one knows them up to {}): restore it with \
             that version",
            manifest["schema"],
            schema::newest()
        ));
    }
    let manifest: Manifest = serde_json::from_value(manifest).map_err(|_| damaged(side))?;
    let state: String = conn.scalar("PRAGMA integrity_check(1)".to_owned()).await?;
    if state != "ok" || schema::version(conn).await? != Some(manifest.schema) {
        return Err(damaged(side));
    }
    let tables = catalog::in_order(catalog::read(conn).await?.into_values().collect())?;
    if describe(conn, &tables).await? != manifest.tables {
        return Err(damaged(side));
    }
    Ok(manifest)
}

async fn describe(conn: &mut Conn, tables: &[Table]) -> Result<Vec<TableManifest>, TransferError> {
    let mut described = Vec::with_capacity(tables.len());
    for table in tables {
        let Contents { rows, digest } = copy::contents(conn, table).await?;
        let sha256 = digest.map(|byte| format!("{byte:02x}")).concat();
        described.push(TableManifest { name: table.name.clone(), rows, sha256 });
    }
    Ok(described)
}

async fn write_manifest(conn: &mut Conn, manifest: &Manifest) -> Result<(), TransferError> {
    let Conn::Sqlite(conn) = conn else { return TransferError::refused("a backup is a file") };
    let text = serde_json::to_string(manifest).map_err(|error| unreadable(&error))?;
    sqlx::raw_sql("CREATE TABLE anteroom_backup (manifest TEXT NOT NULL PRIMARY KEY)")
        .execute(&mut **conn)
        .await?;
    sqlx::query("INSERT INTO anteroom_backup (manifest) VALUES ($1)").bind(text).execute(&mut **conn).await?;
    Ok(())
}

fn unreadable(error: &serde_json::Error) -> TransferError {
    TransferError::Refused(format!("the manifest can't be written: {error}"))
}
