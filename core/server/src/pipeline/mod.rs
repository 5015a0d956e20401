//! From a stored text to a conversation that staff see.
//!
//! The dispatcher leases due messages, the oldest of each lane (one patient on one number), so that a
//! conversation is worked in order while different ones run in parallel. A [`turn`] then reads what is
//! known, decides (the host's own rules first, then the policies), and applies everything in one
//! transaction that also ends the lease: killed at any instant, a message is either untouched or done.

mod apply;
pub mod breaker;
pub mod chain;
pub(crate) mod gather;
mod host_rules;
mod identity;
pub(crate) mod matching;
mod parts;
mod plan;
mod replies;
mod routing;
pub(crate) mod settle;
mod turn;

use std::time::Duration;

use anteroom_model::{
    hooks::{Hook, HookOutput},
    ids::{MessageId, OrganizationId},
    states::{Direction, MessageState},
    time::Timestamp,
};
use anteroom_store::{Claimed, InboundWork, StoreError};
use futures::FutureExt;
use metrics::{counter, histogram};

use crate::{
    app::App,
    directory::Entry,
    dispatch::{self, Stage},
};

pub use apply::fill_organization;
pub use chain::number_for_policies;

/// Questions in one verification at most, whatever the policy says.
pub(crate) use identity::QUESTIONS;

/// Whether the host can carry out what `hook` answers; otherwise what is wrong with it.
pub(crate) fn check(entry: &Entry, hook: Hook, output: &HookOutput) -> Result<(), String> {
    match hook {
        Hook::Identity => identity::check(output),
        Hook::Routing => routing::check(entry, output),
        Hook::Replies => replies::check(output),
        // A person reads what comes back before anything is done with it.
        Hook::Shortcuts => Ok(()),
    }
}

/// From this try on, policies are left out: whatever fails, the text must reach a person.
const WITHOUT_POLICIES: i32 = 4;
/// After this many tries the message is kept for an administrator.
const TRIES: i32 = 10;

/// The stage, for [`dispatch::run`].
struct Pipeline;

impl Stage for Pipeline {
    const NAME: &'static str = "pipeline";
    const AT_ONCE: u32 = 32;
    const LEASE: Duration = Duration::from_secs(15);
    const POLL: Duration = Duration::from_millis(500);
    const DIRECTION: Direction = Direction::Inbound;
    type Work = InboundWork;

    fn id(work: &InboundWork) -> MessageId {
        work.id
    }

    async fn claim(app: &App, until: Timestamp, room: u32) -> Result<Claimed<InboundWork>, StoreError> {
        app.store.claim_inbound(app.node, until, room).await
    }

    async fn process(app: &App, work: InboundWork) {
        process(app, work).await;
    }

    async fn ready(app: &App) {
        app.store.inbound_ready().await;
    }
}

/// Works until the app is told to stop, then until the turns under way are over.
///
/// Nothing is claimed before the default policies are compiled: another node may have them already.
pub async fn run(app: App) {
    if let Err(error) = app.policies.warm().await {
        tracing::error!(%error, "the default policies can't be compiled");
    }
    dispatch::run::<Pipeline>(app).await;
}

async fn process(app: &App, work: InboundWork) {
    let (id, attempt) = (work.id, work.attempt);
    let arrived = work.created_at;
    let organization = work.organization;
    // A panic must neither stop the pipeline nor keep the place.
    let outcome = std::panic::AssertUnwindSafe(turn::run(app, &work, attempt < WITHOUT_POLICIES))
        .catch_unwind()
        .await
        .unwrap_or(Err(turn::TurnError::Panicked));
    let label = match outcome {
        Ok(turn::Turn::Waits) => "waits",
        Ok(turn::Turn::Processed) => {
            let waited = app.store.now().since(arrived);
            histogram!("anteroom_pipeline_seconds").record(waited.as_secs_f64());
            "processed"
        }
        Err(turn::TurnError::LeaseLost) => "lease_lost",
        Err(error) => {
            tracing::error!(message = %id, attempt, %error, "a turn failed");
            let lease_end = app.store.now().plus(Pipeline::LEASE);
            let put_off = || put_off(app, organization, id, attempt);
            if let Err(error) = dispatch::until_stored(app, lease_end, put_off).await {
                tracing::error!(message = %id, %error, "a failed turn could not be put off; its lease will end");
            }
            "failed"
        }
    };
    counter!("anteroom_turns_total", "outcome" => label).increment(1);
}

async fn put_off(
    app: &App,
    organization: OrganizationId,
    id: MessageId,
    attempt: i32,
) -> Result<(), StoreError> {
    let node = app.node;
    let (state, due) = if attempt >= TRIES {
        (MessageState::Dead, None)
    } else {
        let wait = Duration::from_millis(250) * 2_u32.pow(u32::try_from(attempt).unwrap_or(0).min(8));
        (MessageState::Received, Some(app.store.now().plus(wait)))
    };
    app.store
        .write(organization, move |mut org| {
            async move { org.postpone_inbound(id, node, state, due).await }.boxed()
        })
        .await
        .map(drop)
}
