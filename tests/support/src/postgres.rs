//! PostgreSQL clusters of the test's own: in a temporary folder, on a free port of 127.0.0.1, gone with the
//! test.
//!
//! - [`Cluster::start`]: a fresh one, durable as in production. It can be stopped, crashed, frozen and given a
//!   [`Replica`].
//! - [`Cluster::shared`]: one for the whole test binary, fast rather than durable, in which every test makes a
//!   database of its own with [`Cluster::fresh_database`], or with [`Cluster::copy_of`] one that was prepared
//!   once (some 70 ms either way).
//!
//! PostgreSQL refuses to run as root; then it runs as the user `postgres`, or `nobody`. All calls block; beside
//! other work of a runtime wrap them in [`tokio::task::block_in_place`].
//!
//! Nothing stays behind: [`Drop`] ends a cluster, and where no destructor runs (statics, a killed test) a
//! guard process does, once the pipe from the test breaks.

mod database;
mod guard;
mod programs;
mod replica;
mod server;

use std::{
    fs,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use database::Database;
use database::Sql;
pub use replica::Replica;
use server::Server;

/// How to set up a cluster.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether commits are flushed to the disk, as in production.
    pub durable: bool,
    /// Where its folder is made; by default where temporary files belong.
    pub within: Option<PathBuf>,
    /// Further parameters of `postgresql.conf`.
    pub parameters: Vec<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { durable: true, within: None, parameters: Vec::new() }
    }
}

impl Settings {
    /// With a further parameter of `postgresql.conf`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    fn all(&self) -> Vec<(String, String)> {
        let fast = if self.durable {
            &[][..]
        } else {
            &[("fsync", "off"), ("full_page_writes", "off"), ("max_wal_size", "4GB")]
        };
        let fixed =
            [("max_connections", "300"), ("shared_buffers", "64MB"), ("listen_addresses", "127.0.0.1")];
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        fixed.iter().chain(fast).map(own).chain(self.parameters.iter().cloned()).collect()
    }
}

/// A cluster that was prepared and stopped, to begin others from: quicker than preparing each.
#[derive(Debug)]
pub struct Template(Server);

/// A cluster: a PostgreSQL server with its databases. Ended and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
}

impl Cluster {
    /// A fresh one with the default [`Settings`].
    pub fn start() -> Self {
        Self::start_with(&Settings::default())
    }

    /// A fresh one.
    pub fn start_with(settings: &Settings) -> Self {
        let mut server = Server::new(settings);
        server.initialize();
        server.start();
        Self { server }
    }

    /// One with everything that is in `template`.
    pub fn start_from(template: &Template, settings: &Settings) -> Self {
        let mut server = Server::new(settings);
        server.copy(&template.0);
        server.start();
        Self { server }
    }

    /// Stops it, to begin others from.
    pub fn into_template(mut self) -> Template {
        self.stop();
        Template(self.server)
    }

    /// The one that all tests of this binary share; not durable. Take a database of your own.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_with(&Settings { durable: false, ..Settings::default() }))
    }

    /// The port on 127.0.0.1, the same in every run.
    pub const fn port(&self) -> u16 {
        self.server.port()
    }

    /// `postgres://…` of a database, whether it exists or not.
    pub fn url(&self, database: &str) -> String {
        self.server.sql().url(database)
    }

    /// The same through another port of this machine, such as a proxy's.
    pub fn url_through(port: u16, database: &str) -> String {
        Sql::new(port).url(database)
    }

    /// Runs a statement in the database `postgres` and fails with the server's words; the rows, unaligned.
    pub fn sql(&self, statement: &str) -> String {
        self.sql_in("postgres", statement)
    }

    /// Runs a statement in this database and fails with the server's words; the rows, unaligned.
    pub fn sql_in(&self, database: &str, statement: &str) -> String {
        self.try_sql(database, statement).unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    /// Runs a statement in this database; the rows, unaligned, or what went wrong.
    pub fn try_sql(&self, database: &str, statement: &str) -> Result<String, String> {
        self.server.sql().run(database, statement)
    }

    /// Makes an empty database that lives as long as the cluster.
    pub fn create_database(&self, name: &str) {
        self.sql(&format!("CREATE DATABASE \"{name}\""));
    }

    /// Makes an empty database with a name of its own.
    pub fn fresh_database(&self) -> Database {
        self.copy_of("template1")
    }

    /// Makes a copy of a database, with a name of its own. PostgreSQL allows it (after waiting for 5 s) only
    /// where nobody is connected to the original: close the pool that prepared it.
    pub fn copy_of(&self, template: &str) -> Database {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\""));
        Database::new(self.server.sql(), name)
    }

    /// Stops it as an administrator does (`fast`): connections are closed, everything is written.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Starts it again after [`stop`](Self::stop) or [`crash`](Self::crash), on the same port, and waits until
    /// it takes connections.
    pub fn restart(&mut self) {
        self.server.start();
    }

    /// Starts it again if it has ended by itself, as a service manager does; whether that was needed.
    pub fn revive(&mut self) -> bool {
        let ended = self.server.has_ended();
        if ended {
            self.server.start();
        }
        ended
    }

    /// SIGKILL to all its processes at once, as when the machine fails.
    pub fn crash(&mut self) {
        self.server.crash();
    }

    /// SIGSTOP to all its processes: connections stay open, nothing is answered.
    pub fn freeze(&self) {
        self.server.freeze();
    }

    /// SIGCONT after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.server.thaw();
    }

    /// A streaming replica that every commit waits for from now on (`synchronous_standby_names`).
    pub fn replica(&self) -> Replica {
        Replica::of(self)
    }

    /// Everything the server has written to its log.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.server.log()).unwrap_or_default()).into_owned()
    }

    /// The folder with its data, for looking at its disk.
    pub fn folder(&self) -> PathBuf {
        self.server.data().to_owned()
    }

    fn wait_for(&self, what: &str, statement: &str, wanted: &str) {
        let mut last = String::new();
        let done = server::within(Duration::from_secs(30), || {
            last = self.try_sql("postgres", statement).unwrap_or_else(|error| error);
            last == wanted
        });
        assert!(done, "{what}: {last:?} and not {wanted:?}\n{}", self.log());
    }
}
