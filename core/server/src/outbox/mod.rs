//! From a queued text to the carrier, once.
//!
//! The dispatcher leases due messages in the order of each lane. Before anything is sent the [`gate`] says
//! whether it may be; how the attempt ended is recorded in the transaction that ends the lease. A process
//! killed in between leaves a message in doubt: whoever takes it up next asks the carrier first
//! ([`attempt`]), and what nobody can tell is shown to staff as *unknown*, never sent again unasked.

mod attempt;
mod gate;

pub(crate) use gate::registration_refusal;

use std::{sync::Arc, time::Duration};

use anteroom_model::states::MessageState;
use anteroom_store::{OutboundWork, SendEnd, StoreError};
use futures::FutureExt;
use metrics::counter;
use tokio::sync::{Notify, Semaphore};

use crate::app::App;

/// Sends at once.
const AT_ONCE: u32 = 32;
/// Longer than the client's own time-out of 15 s, with room for a slow commit.
const LEASE: Duration = Duration::from_mins(1);
/// How often to look without being woken: for retries that are due and leases that ended.
const POLL: Duration = Duration::from_millis(250);

/// Works until the app is told to stop, then until the sends under way are over.
pub async fn run(app: App) {
    let free = Arc::new(Semaphore::new(AT_ONCE as usize));
    let finished = Arc::new(Notify::new());
    loop {
        let room = u32::try_from(free.available_permits()).unwrap_or(0);
        let claimed = if room == 0 { 0 } else { claim(&app, room, &free, &finished).await };
        if claimed > 0 && claimed == room {
            continue;
        }
        tokio::select! {
            () = app.stop.cancelled() => break,
            () = app.store.outbound_ready(), if room > 0 => {}
            () = finished.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    drop(free.acquire_many(AT_ONCE).await);
}

async fn claim(app: &App, room: u32, free: &Arc<Semaphore>, finished: &Arc<Notify>) -> u32 {
    let until = app.store.now().plus(LEASE);
    let work = match app.store.claim_outbound(app.node, until, room).await {
        Ok(work) => work,
        Err(error) => {
            tracing::error!(%error, "outbound messages could not be claimed");
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

async fn process(app: &App, work: OutboundWork) {
    let (id, organization) = (work.id, work.organization);
    let outcome = std::panic::AssertUnwindSafe(one(app, work)).catch_unwind().await;
    let label = match outcome {
        Ok(Ok(state)) => state.as_str(),
        Ok(Err(error)) => {
            // The lease ends by itself; then the message is in doubt and the carrier is asked.
            tracing::error!(message = %id, %organization, %error, "a send could not be recorded");
            "not_recorded"
        }
        Err(_) => {
            tracing::error!(message = %id, %organization, "a send panicked");
            "panicked"
        }
    };
    counter!("anteroom_sends_total", "outcome" => label).increment(1);
}

async fn one(app: &App, work: OutboundWork) -> Result<MessageState, StoreError> {
    let entry = app.directory.get(work.organization).await?;
    let end = match gate::check(app, &entry, &work).await? {
        gate::Verdict::Blocked(end) => attempt::Outcome { end, failure: None },
        gate::Verdict::Open { number, account } => {
            attempt::send(app, &entry.organization, &number, &account, &work).await?
        }
    };
    record(app, work, end).await
}

async fn record(
    app: &App,
    work: OutboundWork,
    outcome: attempt::Outcome,
) -> Result<MessageState, StoreError> {
    let node = app.node;
    let organization = work.organization;
    let state = outcome.end.state;
    let unregistered = outcome
        .failure
        .as_ref()
        .is_some_and(|failure| failure.kind == anteroom_carriers::FailureKind::Unregistered);
    app.store
        .write(organization, move |mut org| {
            async move {
                let attempt::Outcome { end, failure } = outcome;
                if org.end_send(work.id, node, &end).await? {
                    tell(&mut org, &work, &end).await?;
                }
                if let Some(failure) = failure {
                    let (peer, number) = (&work.peer, work.number_id);
                    crate::ingress::receipts::learn_from(&mut org, &failure, peer, number).await?;
                }
                Ok::<_, StoreError>(())
            }
            .boxed()
        })
        .await?;
    if unregistered {
        app.directory.forget(organization);
    }
    Ok(state)
}

/// Staff see every state but the waiting for another try.
async fn tell(
    org: &mut anteroom_store::Org<'_>,
    work: &OutboundWork,
    end: &SendEnd,
) -> Result<(), StoreError> {
    let retrying = matches!(end.state, MessageState::Queued | MessageState::Sending);
    if retrying && work.attempt > 1 {
        return Ok(());
    }
    let data = serde_json::json!({
        "message_id": work.id,
        "state": end.state,
        "error_text": end.error_text,
    });
    org.insert_event(&anteroom_store::NewEvent {
        kind: "message.state",
        conversation_id: work.conversation_id,
        actor: anteroom_store::Actor::Host,
        data,
    })
    .await
    .map(drop)
}
