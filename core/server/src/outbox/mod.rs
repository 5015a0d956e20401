//! From a queued text to the carrier, once.
//!
//! The dispatcher leases due messages in the order of each lane. Before anything is sent the [`gate`] says
//! whether it may be; how the attempt ended is recorded in the transaction that ends the lease. A process
//! killed in between leaves a message in doubt: whoever takes it up next asks the carrier first
//! ([`attempt`]), and what nobody can tell is shown to staff as *unknown*, never sent again unasked.

mod attempt;
mod files;
mod gate;
pub(crate) mod pace;

use std::time::Duration;

use anteroom_carriers::CarrierKind;
use anteroom_model::{
    ids::MessageId,
    states::{Direction, MessageState},
    time::Timestamp,
};
use anteroom_store::{Claimed, OutboundWork, SendEnd, StoreError};
use futures::FutureExt;
use metrics::counter;

use crate::{
    app::App,
    dispatch::{self, Stage},
    ingress::receipts,
};

/// The stage, for [`dispatch::run`].
struct Outbox;

impl Stage for Outbox {
    const NAME: &'static str = "outbox";
    const AT_ONCE: u32 = 32;
    /// Twice the client's own time-out of 10 s (a text in doubt is looked up, then sent), with room for a slow
    /// commit. A send that could outlast it isn't begun.
    const LEASE: Duration = Duration::from_secs(30);
    const POLL: Duration = Duration::from_millis(250);
    const DIRECTION: Direction = Direction::Outbound;
    type Work = OutboundWork;

    fn id(work: &OutboundWork) -> MessageId {
        work.id
    }

    async fn claim(app: &App, until: Timestamp, room: u32) -> Result<Claimed<OutboundWork>, StoreError> {
        app.store.claim_outbound(app.node, until, room).await
    }

    async fn process(app: &App, work: OutboundWork) {
        process(app, work).await;
    }

    async fn ready(app: &App) {
        app.store.outbound_ready().await;
    }
}

/// Works until the app is told to stop, then until the sends under way are over.
pub async fn run(app: App) {
    tokio::join!(dispatch::run::<Outbox>(app.clone()), pace::run(app));
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
        gate::Verdict::Blocked(end) => {
            // It may be at the carrier all the same: staff must not read that it was not sent.
            let number = entry.numbers.get(&work.number_id);
            let known = match (number, entry.accounts.get(&work.carrier_account_id)) {
                (Some(number), Some(account)) => attempt::look_up(app, number, account, &work).await?,
                _ => None,
            };
            known.unwrap_or(attempt::Outcome { end, failure: None })
        }
        gate::Verdict::Elsewhere => attempt::elsewhere(app, &work),
        gate::Verdict::Open { number, account } => {
            if !pace::may_send(app, &entry, &number, &work).await? {
                return Ok(MessageState::Queued);
            }
            attempt::send(app, &entry.organization, &number, &account, &work).await?
        }
    };
    let lease_end = work.until;
    let account = entry.accounts.get(&work.carrier_account_id);
    let carrier = account.map(|account| account.credentials.carrier());
    dispatch::until_stored(app, lease_end, || record(app, work.clone(), carrier, end.clone())).await
}

async fn record(
    app: &App,
    work: OutboundWork,
    carrier: Option<CarrierKind>,
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
                    tell(&org, &work, &end);
                }
                if let (Some(carrier), Some(id)) = (carrier, &end.carrier_message_id) {
                    receipts::catch_up(&mut org, work.id, carrier, work.carrier_account_id, id).await?;
                }
                if let Some(failure) = failure {
                    let (peer, number) = (&work.peer, work.number_id);
                    receipts::learn_from(&mut org, &failure, peer, number).await?;
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
fn tell(org: &anteroom_store::Org<'_>, work: &OutboundWork, end: &SendEnd) {
    let retrying = matches!(end.state, MessageState::Queued | MessageState::Sending);
    if retrying && work.attempt > 1 {
        return;
    }
    org.tell(anteroom_store::NewEvent {
        kind: "message.state",
        conversation_id: work.conversation_id,
        actor: anteroom_store::Actor::Host,
        data: serde_json::json!({
            "message_id": work.id,
            "state": end.state,
            "error_text": end.error_text,
        }),
    });
}
