//! From a stored text to a conversation that staff see.
//!
//! The dispatcher leases due messages, the oldest of each lane (one patient on one number), so that a
//! conversation is worked in order while different ones run in parallel. A [`turn`] then reads what is
//! known, decides (the host's own rules first, then the policies), and applies everything in one
//! transaction that also ends the lease: killed at any instant, a message is either untouched or done.

mod apply;
pub mod chain;
pub(crate) mod gather;
mod host_rules;
mod identity;
mod matching;
mod plan;
mod replies;
mod routing;
mod turn;

use std::{sync::Arc, time::Duration};

use anteroom_model::states::MessageState;
use anteroom_store::{InboundWork, StoreError};
use futures::FutureExt;
use metrics::{counter, histogram};
use tokio::sync::Notify;

use crate::app::App;

pub use apply::fill_organization;
pub use chain::number_for_policies;

/// Turns at once.
const AT_ONCE: u32 = 32;
/// A turn that takes longer is taken for lost and begun again by whoever comes first.
const LEASE: Duration = Duration::from_mins(1);
/// How often to look without being woken: for leases that ended and tries that were put off.
const POLL: Duration = Duration::from_millis(500);
/// From this try on, policies are left out: whatever fails, the text must reach a person.
const WITHOUT_POLICIES: i32 = 4;
/// After this many tries the message is kept for an administrator.
const TRIES: i32 = 10;

/// Works until the app is told to stop, then until the turns under way are over.
pub async fn run(app: App) {
    let free = Arc::new(tokio::sync::Semaphore::new(AT_ONCE as usize));
    let finished = Arc::new(Notify::new());
    loop {
        let room = u32::try_from(free.available_permits()).unwrap_or(0);
        let claimed = if room == 0 { 0 } else { claim(&app, room, &free, &finished).await };
        if claimed > 0 && claimed == room {
            continue;
        }
        tokio::select! {
            () = app.stop.cancelled() => break,
            () = app.store.inbound_ready(), if room > 0 => {}
            () = finished.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    // All places free again means that every turn is over.
    drop(free.acquire_many(AT_ONCE).await);
}

async fn claim(app: &App, room: u32, free: &Arc<tokio::sync::Semaphore>, finished: &Arc<Notify>) -> u32 {
    let until = app.store.now().plus(LEASE);
    let work = match app.store.claim_inbound(app.node, until, room).await {
        Ok(work) => work,
        Err(error) => {
            tracing::error!(%error, "inbound messages could not be claimed");
            return 0;
        }
    };
    let claimed = u32::try_from(work.len()).unwrap_or(u32::MAX);
    for item in work {
        let Ok(place) = free.clone().try_acquire_owned() else { break };
        let (app, finished) = (app.clone(), finished.clone());
        tokio::spawn(async move {
            process(&app, item).await;
            drop(place);
            finished.notify_one();
        });
    }
    claimed
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
        Ok(()) => {
            let waited = app.store.now().since(arrived);
            histogram!("anteroom_pipeline_seconds").record(waited.as_secs_f64());
            "processed"
        }
        Err(turn::TurnError::LeaseLost) => "lease_lost",
        Err(error) => {
            tracing::error!(message = %id, attempt, %error, "a turn failed");
            if let Err(error) = put_off(app, organization, id, attempt).await {
                tracing::error!(message = %id, %error, "a failed turn could not be put off; its lease will end");
            }
            "failed"
        }
    };
    counter!("anteroom_turns_total", "outcome" => label).increment(1);
}

async fn put_off(
    app: &App,
    organization: anteroom_model::ids::OrganizationId,
    id: anteroom_model::ids::MessageId,
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
