//! Databases, and statements run in them.

use super::programs;

/// `psql` for the server on one port. `trust` lets anybody in, so that no password is needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sql {
    port: u16,
}

impl Sql {
    pub(super) const fn new(port: u16) -> Self {
        Self { port }
    }

    pub(super) fn url(self, database: &str) -> String {
        format!("postgres://anteroom@127.0.0.1:{}/{database}", self.port)
    }

    pub(super) fn run(self, database: &str, statement: &str) -> Result<String, String> {
        let mut psql = programs::client("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]).arg(self.url(database));
        // Bounded: a frozen server accepts connections (its kernel does) and says nothing.
        psql.env("PGCONNECT_TIMEOUT", "10").env("PGOPTIONS", "-c statement_timeout=60s");
        let output = psql.output().map_err(|error| error.to_string())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}

/// A database of a test's own, removed with all its connections when dropped.
#[derive(Debug)]
pub struct Database {
    sql: Sql,
    name: String,
}

impl Drop for Database {
    fn drop(&mut self) {
        // A server that is gone has taken the database along.
        drop(self.sql.run("postgres", &format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name)));
    }
}

impl Database {
    pub(super) const fn new(sql: Sql, name: String) -> Self {
        Self { sql, name }
    }

    /// Its name, unique in this process.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `postgres://…`.
    pub fn url(&self) -> String {
        self.sql.url(&self.name)
    }

    /// Runs a statement in it and fails with the server's words; the rows, unaligned.
    pub fn sql(&self, statement: &str) -> String {
        self.sql.run(&self.name, statement).unwrap_or_else(|error| panic!("{statement}: {error}"))
    }
}
