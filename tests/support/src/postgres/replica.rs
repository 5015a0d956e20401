//! A replica that takes over.

use super::{Cluster, Settings, server::Server};

/// How the primary knows it.
const NAME: &str = "replica";

/// A streaming replica, synchronous: what the primary has acknowledged is here too.
#[derive(Debug)]
pub struct Replica(Cluster);

impl Replica {
    pub(super) fn of(primary: &Cluster) -> Self {
        let mut server = Server::new(&Settings::default());
        server.follow(primary.port(), NAME);
        server.start();
        // Only now, so that the copy doesn't wait for a replica itself once it is promoted.
        primary.sql(&format!("ALTER SYSTEM SET synchronous_standby_names = '{NAME}'"));
        primary.sql("SELECT pg_reload_conf()");
        let state = format!("SELECT sync_state FROM pg_stat_replication WHERE application_name = '{NAME}'");
        primary.wait_for("the replica", &state, "sync");
        Self(Cluster { server })
    }

    /// The server, to look at and to freeze.
    pub const fn server(&self) -> &Cluster {
        &self.0
    }

    /// Takes over, on its own port. End the primary first: two would diverge.
    pub fn promote(self) -> Cluster {
        self.0.sql("SELECT pg_promote(true, 60)");
        self.0.wait_for("the new primary", "SELECT pg_is_in_recovery()", "f");
        self.0
    }
}
