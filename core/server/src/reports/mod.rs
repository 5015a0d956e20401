//! The figures of reports, drawn from the events behind them.
//!
//! A reader of its own follows the organization's events in the order of their sequence ([`catch_up`]), folds them into
//! spans and counts ([`fold`]) and stores these together with its position. What happened before there were reports is
//! drawn in the same way as what happens now, after a kill it goes on where it was, and nothing in the way of a text
//! or a click waits for it ([decision 37](../../../../docs/decisions/0037-reports-are-drawn-from-the-events.md)).

mod fold;

use std::time::Duration;

use anteroom_model::ids::{ConversationId, OrganizationId};
use anteroom_store::{Drawn, Event, Org, Place, StoreError};
use futures::FutureExt;

use crate::app::App;
use fold::Fold;
pub(crate) use fold::kinds;

/// Events drawn in one transaction: it is in the way of all others on `SQLite`.
const BATCH: u32 = 300;
/// How often events are looked for.
const EVERY: Duration = Duration::from_secs(2);
/// Between batches while there are more, so that others get at the database too.
const BREATH: Duration = Duration::from_millis(10);

/// How far the figures have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The last event that they hold.
    pub(crate) drawn: i64,
    /// The last event there is.
    pub(crate) of: i64,
}

/// Draws figures until the app is told to stop.
pub async fn run(app: App) {
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let behind = match app.store.reports_behind().await {
            Ok(behind) => behind,
            Err(error) => {
                tracing::error!(%error, "events could not be looked for");
                continue;
            }
        };
        for organization in behind {
            if let Err(error) = draw_all(&app, organization).await {
                tracing::error!(%organization, %error, "figures of reports could not be drawn");
            }
        }
    }
}

async fn draw_all(app: &App, organization: OrganizationId) -> Result<(), StoreError> {
    while draw(app, organization).await? {
        tokio::select! {
            () = app.stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(BREATH) => {}
        }
    }
    Ok(())
}

/// Draws what has just happened, at most `batches` times a few hundred events, so that a report shows it.
pub(crate) async fn catch_up(
    app: &App,
    organization: OrganizationId,
    batches: usize,
) -> Result<Progress, StoreError> {
    for _ in 0..batches {
        if !draw(app, organization).await? {
            break;
        }
    }
    let (drawn, of) = app.store.read(organization).await?.report_position().await?;
    Ok(Progress { drawn, of })
}

/// Draws the next events; whether there may be more.
async fn draw(app: &App, organization: OrganizationId) -> Result<bool, StoreError> {
    let entry = app.directory.get(organization).await?;
    let mut org = app.store.read(organization).await?;
    let (from, head) = org.report_position().await?;
    if from >= head {
        return Ok(false);
    }
    let events = whole_commits(org.events_after(from, BATCH).await?);
    let Some(to) = events.last().map(|event| event.seq) else { return Ok(false) };
    let mut fold = Fold::new(&entry);
    for (at, event) in events.iter().enumerate() {
        prepare(&mut org, &mut fold, event).await?;
        fold.take(event, routed_with(event, &events[at..]));
    }
    if to >= head {
        // These are conversations as they are now: whatever moved them, it is seen.
        for conversation in fold.running() {
            let place = org.place_of(conversation).await?;
            fold.move_to(conversation, place);
        }
    }
    drop(org);
    let drawn: Drawn = fold.drawn();
    app.store
        .write(organization, move |mut org| async move { org.draw_report(from, to, &drawn).await }.boxed())
        .await?;
    Ok(to < head)
}

/// Without the last commit, if the batch is full and may have cut it: what a text led to is read together with it.
fn whole_commits(mut events: Vec<Event>) -> Vec<Event> {
    if events.len() == BATCH as usize
        && let Some(last) = events.last().map(|event| event.created_at)
        && let Some(before) = events.iter().rposition(|event| event.created_at != last)
    {
        events.truncate(before + 1);
    }
    events
}

/// The step, among those that follow, by which the same text was routed.
fn routed_with<'a>(event: &Event, following: &'a [Event]) -> Option<&'a Event> {
    following
        .iter()
        .take_while(|other| other.created_at == event.created_at)
        .find(|other| other.kind == "conversation.routed" && other.conversation_id == event.conversation_id)
}

/// Reads what the fold must know before it takes an event.
async fn prepare(org: &mut Org<'_>, fold: &mut Fold<'_>, event: &Event) -> Result<(), StoreError> {
    let Some(conversation) = event.conversation_id else { return Ok(()) };
    if !fold.knows(conversation) {
        let span = org.last_span(conversation).await?;
        let place = match span {
            Some(span) => span.place,
            None => beginning(org, conversation, fold).await?,
        };
        fold.learn(conversation, span, place);
    }
    if let Some(message) = fold.wants_arrival(event) {
        let arrived = org.arrived_at(message).await?;
        fold.arrived(arrived.unwrap_or(event.created_at));
    }
    Ok(())
}

/// Where a conversation begins: in the number's facility, with no team yet.
async fn beginning(
    org: &mut Org<'_>,
    conversation: ConversationId,
    fold: &Fold<'_>,
) -> Result<Place, StoreError> {
    let now = org.place_of(conversation).await?;
    Ok(fold.start_on(now.number_id))
}
