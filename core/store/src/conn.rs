//! One connection of whichever engine is open.

use sqlx::{Sqlite, pool::PoolConnection};

/// A connection. PostgreSQL becomes a second variant and a second arm of `on!`.
#[derive(Debug)]
pub(crate) enum Conn {
    Sqlite(PoolConnection<Sqlite>),
}

/// Runs `$body` with `$c` as the engine's own connection, so that each arm is typed by its real driver.
macro_rules! on {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::conn::Conn::Sqlite(connection) => {
                let $c = &mut **connection;
                $body
            }
        }
    };
}
pub(crate) use on;

impl Conn {
    /// Runs a statement without parameters: transaction control and pragmas.
    pub(crate) async fn execute(&mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        on!(self, c => sqlx::raw_sql(statement).execute(c).await.map(drop))
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
