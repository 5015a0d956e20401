//! Telling organizations' programs what happens: docs/webhooks.md.
//!
//! What is told is read from `events` by a position that each endpoint has. A node leases an endpoint, tells it one
//! event after the other in their order ([`tell`]), and stores with each how far it has come; so nothing is left out
//! when a node ends, and what was under way then is told again under the same id.

pub(crate) mod sign;
pub(crate) mod tell;

use std::{collections::HashSet, panic::AssertUnwindSafe, time::Duration};

use anteroom_carriers::PostConfig;
use anteroom_model::{
    ids::{OrganizationId, WebhookId},
    states::WebhookState,
};
use futures::FutureExt;
use metrics::gauge;
use serde::Deserialize;
use tokio::{sync::broadcast::error::RecvError, task::JoinSet};

use crate::app::App;

/// How often it is looked for what is due: retries, and what other nodes committed.
const POLL: Duration = Duration::from_secs(1);
/// Between two looks at least, however much happens.
const GATHER: Duration = Duration::from_millis(50);
/// Endpoints that a node tells something at once.
const AT_ONCE: usize = 32;

/// Where webhooks may lead to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookConfig {
    /// Origins (`http://10.0.0.7:9000`) that are told things although they are not `https` or not on the public
    /// internet.
    pub permitted_origins: Vec<String>,
}

impl WebhookConfig {
    /// The permitted origins, read.
    pub fn posts(&self) -> Result<PostConfig, url::ParseError> {
        let origins = self.permitted_origins.iter().map(|origin| origin.parse()).collect::<Result<_, _>>()?;
        Ok(PostConfig { origins, ..PostConfig::default() })
    }
}

/// Works until the app is told to stop, then until what is under way is over.
pub async fn run(app: App) {
    let mut wakes = app.store.event_wakes();
    let mut workers = JoinSet::new();
    let mut busy = HashSet::new();
    loop {
        match app.store.due_webhooks(app.node).await {
            Ok(due) => {
                for (organization, id) in due {
                    if busy.len() < AT_ONCE && busy.insert(id) {
                        workers.spawn(work(app.clone(), organization, id));
                    }
                }
            }
            Err(error) => tracing::error!(%error, "webhooks that are due can't be looked for"),
        }
        tokio::select! {
            () = app.stop.cancelled() => break,
            () = tokio::time::sleep(POLL) => {}
            Some(ended) = workers.join_next() => {
                if let Ok(id) = ended {
                    busy.remove(&id);
                }
            }
            woken = wakes.recv() => {
                if matches!(woken, Err(RecvError::Closed)) {
                    break;
                }
            }
        }
        tokio::time::sleep(GATHER).await;
    }
    while workers.join_next().await.is_some() {}
}

async fn work(app: App, organization: OrganizationId, id: WebhookId) -> WebhookId {
    // A panic must not keep its place.
    match AssertUnwindSafe(tell::work(&app, organization, id)).catch_unwind().await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(webhook = %id, %error, "a webhook could not be told"),
        Err(_) => tracing::error!(webhook = %id, "telling a webhook panicked"),
    }
    id
}

/// Sets the gauges that tell how many there are and how far they are behind.
pub(crate) async fn measure(app: &App) {
    match app.store.webhook_backlog().await {
        Ok(states) => {
            for state in WebhookState::ALL {
                let of_it = states.iter().find(|one| one.state == *state);
                let (count, behind) = of_it.map_or((0, 0), |one| (one.count, one.behind));
                #[expect(clippy::cast_precision_loss, reason = "counts of webhooks and events fit 52 bits")]
                let (count, behind) = (count as f64, behind as f64);
                gauge!("anteroom_webhooks", "state" => state.as_str()).set(count);
                gauge!("anteroom_webhook_events_behind", "state" => state.as_str()).set(behind);
            }
        }
        Err(error) => tracing::warn!(%error, "webhooks could not be measured"),
    }
}
