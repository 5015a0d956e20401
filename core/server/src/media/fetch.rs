//! Fetching what came with texts: leased row by row, so that nodes share the work and a kill loses nothing.

use std::{sync::Arc, time::Duration};

use anteroom_carriers::FetchError;
use anteroom_model::time::Timestamp;
use anteroom_store::{Actor, MediaEnd, MediaWork, NewEvent, StoreError};
use futures::FutureExt;
use metrics::{counter, histogram};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::{
    app::App,
    media::{TakeError, objects::Key, words},
    problem::Chain,
};

/// Files that a node fetches at once: each is in memory whole while it is looked at.
const AT_ONCE: usize = 4;
/// Longer than a fetch, a preview and a commit may take together.
const LEASE: Duration = Duration::from_mins(3);
/// Looks without being woken: what another node was told of, and what is to be tried again.
const POLL: Duration = Duration::from_millis(250);
/// First wait before another try; doubled each time up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// For so long a carrier that doesn't answer is asked again.
const PATIENCE: Duration = Duration::from_hours(24);
/// A carrier may say for a moment that it has no such file, while it is still writing it.
const TRIES_OF_MISSING: i32 = 4;
/// And that it doesn't give it out; credentials may also be corrected meanwhile: some two minutes.
const TRIES_OF_FORBIDDEN: i32 = 8;
/// Uploads that were not sent for so long are dropped.
const UNSENT: Duration = Duration::from_hours(24);
/// No write takes so long.
const CUT_OFF: Duration = Duration::from_hours(1);
/// How often they are looked for.
const TIDY: Duration = Duration::from_mins(10);

/// Works until the app is told to stop, then until what is under way is over.
pub async fn run(app: App) {
    if let Err(error) = app.store.release_media(app.node).await {
        tracing::warn!(%error, "files that an earlier life of this node had leased are waited for");
    }
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tidied: Option<Timestamp> = None;
    while !app.stop.is_cancelled() {
        let now = app.store.now();
        if tidied.is_none_or(|before| now.since(before) >= TIDY) {
            tidied = Some(now);
            if let Err(error) = tidy(&app).await {
                tracing::error!(error = %Chain(error.as_ref()), "uploads that were never sent could not be dropped");
            }
        }
        let room = places.available_permits();
        let claimed = if room == 0 {
            Ok(Vec::new())
        } else {
            app.store.claim_media(app.node, now.plus(LEASE), u32::try_from(room).unwrap_or(1)).await
        };
        let claimed = claimed.unwrap_or_else(|error| {
            tracing::error!(%error, "files that are due can't be looked for");
            Vec::new()
        });
        let full = claimed.len() == room;
        for work in claimed {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let app = app.clone();
            app.clone().tasks.spawn(async move {
                let _place = place;
                one(&app, work).await;
                app.media.wake();
            });
        }
        if !full || room == 0 {
            tokio::select! {
                () = app.stop.cancelled() => {}
                () = app.media.due.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
}

/// What becomes of a file.
enum Outcome {
    End(MediaEnd),
    Later(Duration),
}

async fn one(app: &App, work: MediaWork) {
    let (id, organization) = (work.id, work.organization);
    let key = Key { organization, id, attempt: work.attempt };
    let outcome = std::panic::AssertUnwindSafe(fetch(app, &work, key)).catch_unwind().await;
    let outcome = match outcome {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => {
            tracing::error!(media = %id, %organization, error = %Chain(&error), "a file could not be kept");
            Outcome::Later(wait(app, work.attempt))
        }
        Err(_) => {
            tracing::error!(media = %id, %organization, "fetching a file panicked");
            Outcome::Later(wait(app, work.attempt))
        }
    };
    let label = match &outcome {
        Outcome::End(end) => end.reason().unwrap_or("ready"),
        Outcome::Later(_) => "later",
    };
    match record(app, &work, outcome).await {
        Ok(true) => {
            counter!("anteroom_media_total", "outcome" => label).increment(1);
            tracing::info!(media = %id, %organization, attempt = work.attempt, outcome = label, "a file was fetched");
            if label == "ready" {
                let waited = app.store.now().since(work.created_at);
                histogram!("anteroom_media_seconds").record(waited.as_secs_f64());
            }
        }
        Ok(false) => {
            // Somebody else does it, and writes objects of its own.
            tracing::info!(media = %id, %organization, "the lease of a file was lost");
            if let Err(error) = app.media.objects.delete(key).await {
                tracing::warn!(media = %id, error = %Chain(&error), "what was fetched in vain is still kept");
            }
        }
        Err(error) => {
            // The lease ends by itself; then it is fetched again.
            tracing::error!(media = %id, %organization, %error, "the end of a file could not be recorded");
        }
    }
}

async fn fetch(app: &App, work: &MediaWork, key: Key) -> Result<Outcome, FetchFault> {
    let entry = app.directory.get(work.organization).await?;
    let Some(account) = work.carrier_account_id.and_then(|id| entry.accounts.get(&id)) else {
        return Ok(Outcome::End(MediaEnd::Refused(words::ACCOUNT)));
    };
    if work.attempt > 1 {
        // What an attempt that was cut off may have left.
        let before = Key { attempt: work.attempt - 1, ..key };
        app.media.objects.delete(before).await.map_err(TakeError::from)?;
    }
    let now = app.store.now();
    let fetched = app.carriers.fetch_media(&account.credentials, &work.source.url, app.media.most, now).await;
    let bytes = match fetched {
        Ok(fetched) => fetched.bytes,
        Err(error) => return Ok(not_fetched(app, work, error)),
    };
    let keys = app.store.keys(work.organization).await?;
    Ok(Outcome::End(match app.media.take(&keys, key, &bytes).await? {
        Ok(content) => MediaEnd::Ready(content),
        Err(reason) => MediaEnd::Refused(reason),
    }))
}

/// The machine's fault, and no fault of the file's.
#[derive(Debug, thiserror::Error)]
enum FetchFault {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Take(#[from] TakeError),
}

fn not_fetched(app: &App, work: &MediaWork, error: FetchError) -> Outcome {
    tracing::info!(media = %work.id, attempt = work.attempt, code = error.code(), %error, "a file was not fetched");
    let again = Outcome::Later(wait(app, work.attempt));
    match error {
        FetchError::Address(_) => Outcome::End(MediaEnd::Refused(words::ADDRESS)),
        FetchError::TooLarge => Outcome::End(MediaEnd::Refused(words::TOO_LARGE)),
        FetchError::Missing(410) => Outcome::End(MediaEnd::Gone(words::EXPIRED)),
        FetchError::Missing(_) if work.attempt >= TRIES_OF_MISSING => {
            Outcome::End(MediaEnd::Gone(words::EXPIRED))
        }
        FetchError::Forbidden(_) if work.attempt >= TRIES_OF_FORBIDDEN => {
            Outcome::End(MediaEnd::Gone(words::FORBIDDEN))
        }
        FetchError::Missing(_) | FetchError::Forbidden(_) => again,
        FetchError::Unavailable { .. } if app.store.now().since(work.created_at) > PATIENCE => {
            Outcome::End(MediaEnd::Gone(words::UNREACHABLE))
        }
        FetchError::Unavailable { retry_after } => {
            Outcome::Later(retry_after.unwrap_or_default().max(wait(app, work.attempt)).min(PATIENCE))
        }
    }
}

/// Doubling, with up to a quarter of jitter so that many don't come back at once.
fn wait(app: &App, attempt: i32) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(16);
    let base = FIRST_WAIT.saturating_mul(2_u32.pow(doublings)).min(LONGEST_WAIT);
    let jitter = u64::try_from(base.as_millis() / 4).unwrap_or(0).max(1);
    base + Duration::from_millis(app.store.ids().number() % jitter)
}

/// Says in the row what became of it, and tells whoever listens. `false`: the lease was lost.
async fn record(app: &App, work: &MediaWork, outcome: Outcome) -> Result<bool, StoreError> {
    let (id, message, node) = (work.id, work.message_id, app.node);
    app.store
        .write(work.organization, move |mut org| {
            async move {
                let end = match outcome {
                    Outcome::Later(wait) => {
                        let due = org.now().plus(wait);
                        return org.postpone_media(id, node, due).await;
                    }
                    Outcome::End(end) => end,
                };
                if !org.finish_media(id, node, &end).await? {
                    return Ok(false);
                }
                let message = match message {
                    Some(message) => org.message(message).await?,
                    None => None,
                };
                let data = json!({
                    "message_id": message.as_ref().map(|message| message.id),
                    "media_id": id,
                    "state": end.state(),
                    "text": words::text(end.state(), end.reason()),
                });
                org.tell(NewEvent {
                    kind: "media.state",
                    conversation_id: message.and_then(|message| message.conversation_id),
                    actor: Actor::Host,
                    data,
                });
                Ok(true)
            }
            .boxed()
        })
        .await
}

/// Drops what cut-off writes have left, and uploads that were never sent: the row first, so that none that is being
/// sent loses its bytes.
async fn tidy(app: &App) -> Result<(), crate::cli::Failure> {
    app.media.objects.sweep(app.store.now().minus(CUT_OFF)).await?;
    for (organization, id) in app.store.unsent_media(app.store.now().minus(UNSENT)).await? {
        let forgotten: Result<bool, StoreError> = app
            .store
            .write(organization, move |mut org| async move { org.forget_media(id).await }.boxed())
            .await;
        if forgotten? {
            app.media.objects.delete(Key { organization, id, attempt: 0 }).await?;
        }
    }
    Ok(())
}
