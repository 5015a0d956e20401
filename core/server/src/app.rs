//! What all parts of the server share.

use std::sync::{Arc, OnceLock};

use anteroom_carriers::Carriers;
use anteroom_model::ids::{NodeId, OrganizationId};
use anteroom_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    auth::limits::{SignInLimits, TryLimits},
    config::NodeRole,
    directory::Directory,
    media::Media,
    policies::Policies,
    presence::Presence,
    registration::RegistrationRules,
    support::mailer::Mailer,
    uploads::Uploads,
};

/// Handles to the store, the policy host, the carriers and the caches. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// Rows.
    pub store: Store,
    /// Compiled policies and the host that runs them.
    pub policies: Policies,
    /// The network edge.
    pub carriers: Carriers,
    /// Organizations' set-up, cached.
    pub directory: Directory,
    /// This process, as the holder of leases.
    pub node: NodeId,
    /// Components that are being checked.
    pub uploads: Uploads,
    /// Pictures and documents.
    pub media: Media,
    /// Who is where.
    pub presence: Presence,
    /// Slows down guessing of passwords.
    pub sign_ins: SignInLimits,
    /// Slows down trying of policies.
    pub tries: TryLimits,
    /// Renders `/metrics`; absent where another recorder is installed (tests).
    pub metrics: Option<PrometheusHandle>,
    /// Cookies are sent over HTTPS only: everywhere but in a demo.
    pub secure_cookies: bool,
    /// What this process does.
    pub roles: Vec<NodeRole>,
    /// Serves the phone simulator for this clinic, once it is seeded: only in a demo.
    pub demo: Option<OnceLock<OrganizationId>>,
    /// The mail server for tickets, where there is one.
    pub mailer: OnceLock<Mailer>,
    /// Told to stop.
    pub stop: CancellationToken,
    /// How often carriers are asked about numbers, and how long their word counts.
    pub registration: RegistrationRules,
    /// What must end before the process does.
    pub tasks: TaskTracker,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Does this process do that?
    pub fn has_role(&self, role: NodeRole) -> bool {
        self.roles.contains(&role)
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("node", &self.node).finish_non_exhaustive()
    }
}
