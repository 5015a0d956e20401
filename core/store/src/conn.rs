//! One connection of whichever engine is open.

use sqlx::{Postgres, Sqlite, pool::PoolConnection};

/// A connection.
#[derive(Debug)]
pub(crate) enum Conn {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// Runs `$body` with `$c` as the engine's own connection, so that each arm is typed by its real driver.
macro_rules! on {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::conn::Conn::Sqlite(connection) => {
                let $c = &mut **connection;
                $body
            }
            $crate::conn::Conn::Postgres(connection) => {
                let $c = &mut **connection;
                $body
            }
        }
    };
}
pub(crate) use on;

/// A query whose text differs between the engines: `queries/<name>.sql` and `queries/<name>.postgres.sql`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Twin {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// Both texts of a query that has twins.
macro_rules! twin {
    ($name:literal) => {
        $crate::conn::Twin {
            sqlite: $crate::sql!($name),
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/", $name, ".postgres.sql")),
        }
    };
}
pub(crate) use twin;

impl Conn {
    /// Runs a statement without parameters: transaction control and pragmas.
    pub(crate) async fn execute(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        on!(self, c => sqlx::raw_sql(statement).execute(c).await.map(drop))
    }

    /// Ends a transaction; an error where a statement of it has failed. PostgreSQL's COMMIT is then a ROLLBACK
    /// that reports success; the SELECT fails.
    pub(crate) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        self.execute("SELECT 1; COMMIT").await
    }

    /// The text for this connection's engine.
    pub(crate) const fn pick(&self, twin: Twin) -> &'static str {
        match self {
            Self::Sqlite(_) => twin.sqlite,
            Self::Postgres(_) => twin.postgres,
        }
    }
}

/// Runs a statement of `queries/` for an `Org`; `$1` is its organization. Gives the rows affected.
macro_rules! execute {
    ($org:expr, $sql:literal $(, $bind:expr)* $(,)?) => {{
        let organization = $org.organization;
        $crate::conn::on!($org.conn(), c => {
            sqlx::query($crate::sql!($sql)).bind(organization)$(.bind($bind))*.execute(c).await?.rows_affected()
        })
    }};
}
pub(crate) use execute;

/// Reads the rows of a query of `queries/` as `$row`; `$1` is the organization.
macro_rules! fetch_all {
    ($org:expr, $row:ty, $sql:literal $(, $bind:expr)* $(,)?) => {{
        let organization = $org.organization;
        $crate::conn::on!($org.conn(), c => {
            sqlx::query_as::<_, $row>($crate::sql!($sql)).bind(organization)$(.bind($bind))*.fetch_all(c).await?
        })
    }};
}
pub(crate) use fetch_all;

/// Reads at most one row as `$row`; `$1` is the organization.
macro_rules! fetch_optional {
    ($org:expr, $row:ty, $sql:literal $(, $bind:expr)* $(,)?) => {{
        let organization = $org.organization;
        $crate::conn::on!($org.conn(), c => {
            sqlx::query_as::<_, $row>($crate::sql!($sql)).bind(organization)$(.bind($bind))*.fetch_optional(c).await?
        })
    }};
}
pub(crate) use fetch_optional;
