//! The table that a database has while it is being filled: which source it is filled from.

use sha2::{Digest, Sha256};

use crate::conn::{Conn, on};

/// Its name.
pub(super) const TABLE: &str = "anteroom_transfer";

pub(super) async fn table_exists(conn: &mut Conn, table: &'static str) -> Result<bool, sqlx::Error> {
    match conn {
        Conn::Sqlite(conn) => {
            sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1)",
            )
            .bind(table)
            .fetch_one(&mut **conn)
            .await
        }
        Conn::Postgres(conn) => {
            sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(&mut **conn).await
        }
    }
}

pub(super) async fn is_there(conn: &mut Conn) -> Result<bool, sqlx::Error> {
    table_exists(conn, TABLE).await
}

/// Which source the database is being filled from; `None` where it isn't.
pub(super) async fn read(conn: &mut Conn) -> Result<Option<Vec<u8>>, sqlx::Error> {
    if !is_there(conn).await? {
        return Ok(None);
    }
    // Made and filled in one transaction, so that there is a row where there is a table.
    conn.scalar("SELECT source FROM anteroom_transfer".to_owned()).await.map(Some)
}

pub(super) async fn write(conn: &mut Conn, source: &[u8]) -> Result<(), sqlx::Error> {
    conn.execute("BEGIN").await?;
    conn.execute_either(
        "CREATE TABLE anteroom_transfer (source BLOB NOT NULL PRIMARY KEY)",
        "CREATE TABLE anteroom_transfer (source BYTEA NOT NULL PRIMARY KEY)",
    )
    .await?;
    on!(conn, c => {
        sqlx::query("INSERT INTO anteroom_transfer (source) VALUES ($1)").bind(source).execute(c).await.map(drop)
    })?;
    conn.execute("COMMIT").await
}

pub(super) async fn remove(conn: &mut Conn) -> Result<(), sqlx::Error> {
    conn.execute("DROP TABLE IF EXISTS anteroom_transfer").await
}

/// What tells a database from others: its organizations with their wrapped keys. `None` where there are none.
pub(super) async fn of_source(conn: &mut Conn) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let statement = "SELECT id, wrapped_key FROM organizations ORDER BY id";
    let rows: Vec<(uuid::Uuid, Vec<u8>)> = on!(conn, c => sqlx::query_as(statement).fetch_all(c).await)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut digest = Sha256::new_with_prefix("anteroom move v1");
    for (id, wrapped) in rows {
        digest.update(id.as_bytes());
        digest.update(Sha256::digest(wrapped));
    }
    Ok(Some(digest.finalize().to_vec()))
}
