//! Telling one endpoint what happened, in order, until there is no more or it doesn't take it.

use std::time::{Duration, Instant};

use anteroom_carriers::PostError;
use anteroom_model::{
    ids::{OrganizationId, StaffId, WebhookAttemptId, WebhookId},
    states::WebhookState,
    time::Timestamp,
};
use anteroom_store::{
    Actor, Event, NewEvent, NewWebhookAttempt, Org, StoreError, Webhook, WebhookAttempt, WebhookSetup,
};
use futures::FutureExt;
use metrics::{counter, histogram};
use serde_json::{Value, json};

use super::sign;
use crate::{app::App, hub};

/// Events read at once.
const PAGE: u32 = 50;
/// How long a node that isn't heard of keeps an endpoint: longer than a request takes.
const LEASE: Duration = Duration::from_mins(1);
/// Waits after the first tries that failed, in seconds; then always the last one.
const WAITS: [u64; 9] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800];
/// The longest wait that an answer can ask for.
const LONGEST_ASKED: Duration = Duration::from_hours(1);
/// An endpoint that has failed for so long is told nothing any more.
const GIVEN_UP: Duration = Duration::from_hours(72);

/// The kind of what a test tells.
const TEST: &str = "webhook.test";

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    /// `delivered`, or a word for what failed.
    outcome: &'static str,
    status: Option<u16>,
    millis: i64,
    retry_after: Option<Duration>,
}

impl Sent {
    fn noted<'a>(&self, seq: Option<i64>, kind: &'a str) -> NewWebhookAttempt<'a> {
        let Self { outcome, status, millis, .. } = *self;
        NewWebhookAttempt { seq, kind, outcome, status, millis }
    }
}

/// Tells an endpoint all that it hasn't been told, as long as it takes it.
pub(super) async fn work(app: &App, organization: OrganizationId, id: WebhookId) -> Result<(), StoreError> {
    while !app.stop.is_cancelled() {
        let (node, until) = (app.node, app.store.now().plus(LEASE));
        let claimed: Result<bool, StoreError> = app
            .store
            .write(organization, move |mut org| {
                async move { org.claim_webhook(id, node, until).await }.boxed()
            })
            .await;
        if !claimed? {
            return Ok(());
        }
        let mut org = app.store.read(organization).await?;
        let Some(webhook) = org.webhook(id).await? else { return Ok(()) };
        let events = org.events_after(webhook.position, PAGE).await?;
        drop(org);
        let waits = webhook.due_at.is_some_and(|due| due > app.store.now());
        if waits || events.is_empty() || !tell_all(app, organization, webhook, events).await? {
            break;
        }
    }
    let node = app.node;
    app.store
        .write(organization, move |mut org| async move { org.release_webhook(id, node).await }.boxed())
        .await
}

/// Tells these, in order. `false`: it failed, and the next try comes later.
async fn tell_all(
    app: &App,
    organization: OrganizationId,
    mut webhook: Webhook,
    events: Vec<Event>,
) -> Result<bool, StoreError> {
    let mut skipped = false;
    for event in events {
        if !wants(&webhook.kinds, &event.kind) {
            (webhook.position, skipped) = (event.seq, true);
            continue;
        }
        let message = format!("evt_{}_{}", organization.0.simple(), event.seq);
        let sent = send(app, &webhook.setup, &message, &hub::told(&event)).await;
        let delivered = sent.outcome == "delivered";
        advance(&mut webhook, &sent, event.seq, app.store.now());
        skipped = false;
        if !store(app, organization, &webhook, Some((sent, event))).await? {
            // Somebody has changed it meanwhile: what it is now counts, and it is told this again.
            return Ok(true);
        }
        if !delivered {
            return Ok(false);
        }
        if app.stop.is_cancelled() {
            return Ok(true);
        }
    }
    if skipped {
        store(app, organization, &webhook, None).await?;
    }
    Ok(true)
}

/// Whether an endpoint with these kinds is told of that one; `message.*` stands for all that begin so.
fn wants(kinds: &[String], kind: &str) -> bool {
    kinds.is_empty()
        || kinds.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => wanted == kind,
        })
}

/// What an endpoint is after a try.
fn advance(webhook: &mut Webhook, sent: &Sent, seq: i64, now: Timestamp) {
    if sent.outcome == "delivered" {
        webhook.position = seq;
        webhook.told_at = Some(now);
        (webhook.failures, webhook.failing_since, webhook.failure, webhook.due_at) = (0, None, None, None);
        return;
    }
    let since = *webhook.failing_since.get_or_insert(now);
    webhook.failures = webhook.failures.saturating_add(1);
    webhook.failure = Some(sent.outcome.to_owned());
    if sent.outcome == "gone" || now.since(since) >= GIVEN_UP {
        webhook.state = WebhookState::Disabled;
        webhook.due_at = None;
        return;
    }
    let asked = sent.retry_after.unwrap_or_default().min(LONGEST_ASKED);
    webhook.due_at = Some(now.plus(wait(webhook.failures).max(asked)));
}

/// How long is waited after so many tries that failed.
fn wait(failures: i32) -> Duration {
    let at = usize::try_from(failures).unwrap_or(0).saturating_sub(1).min(WAITS.len() - 1);
    Duration::from_secs(WAITS[at])
}

/// Stores how far it is. `false`: it was changed meanwhile, and nothing is stored.
async fn store(
    app: &App,
    organization: OrganizationId,
    webhook: &Webhook,
    tried: Option<(Sent, Event)>,
) -> Result<bool, StoreError> {
    let (node, until, webhook) = (app.node, app.store.now().plus(LEASE), webhook.clone());
    app.store
        .write(organization, move |mut org| {
            async move {
                if !org.put_webhook_progress(&webhook, node, until).await? {
                    return Ok(false);
                }
                if let Some((sent, event)) = tried {
                    org.insert_webhook_attempt(webhook.id, sent.noted(Some(event.seq), &event.kind)).await?;
                }
                if webhook.state == WebhookState::Disabled {
                    give_up(&mut org, &webhook).await?;
                }
                Ok(true)
            }
            .boxed()
        })
        .await
}

async fn give_up(org: &mut Org<'_>, webhook: &Webhook) -> Result<(), StoreError> {
    let notice = json!({
        "webhook_id": webhook.id,
        "description": webhook.setup.description,
        "failure": webhook.failure,
        "failing_since": webhook.failing_since,
        "tries": webhook.failures,
    });
    org.insert_notice("webhook.disabled", &notice).await?;
    org.tell(NewEvent {
        kind: "webhook.disabled",
        conversation_id: None,
        actor: Actor::Host,
        data: json!({ "webhook_id": webhook.id }),
    });
    Ok(())
}

/// Posts one message, once.
async fn send(app: &App, setup: &WebhookSetup, id: &str, body: &Value) -> Sent {
    let started = Instant::now();
    let (outcome, status, retry_after) = post(app, setup, id, body).await;
    let took = started.elapsed();
    counter!("anteroom_webhook_attempts_total", "outcome" => outcome).increment(1);
    histogram!("anteroom_webhook_seconds").record(took.as_secs_f64());
    Sent { outcome, status, millis: i64::try_from(took.as_millis()).unwrap_or(i64::MAX), retry_after }
}

async fn post(
    app: &App,
    setup: &WebhookSetup,
    id: &str,
    body: &Value,
) -> (&'static str, Option<u16>, Option<Duration>) {
    let body = body.to_string().into_bytes();
    let Ok(url) = setup.url.parse() else { return ("address", None, None) };
    let Ok(headers) = sign::headers(setup, id, app.store.now(), &body) else {
        return ("address", None, None);
    };
    match app.carriers.post(&url, headers, body).await {
        Ok(posted) => (word(posted.status), Some(posted.status), posted.retry_after),
        Err(PostError::Address(_)) => ("address", None, None),
        Err(PostError::TimedOut) => ("timed_out", None, None),
        Err(PostError::Unreachable) => ("unreachable", None, None),
    }
}

/// What an answer means.
const fn word(status: u16) -> &'static str {
    match status {
        200..=299 => "delivered",
        300..=399 => "redirected",
        410 => "gone",
        429 => "throttled",
        400..=499 => "refused",
        _ => "failed",
    }
}

/// Tells an endpoint something that hasn't happened, whatever its state; its position stays. `None`: there is none.
pub(crate) async fn test(
    app: &App,
    organization: OrganizationId,
    webhook: Webhook,
    by: StaffId,
) -> Result<Option<WebhookAttempt>, StoreError> {
    let (id, now) = (webhook.id, app.store.now());
    let told = json!({
        "seq": null, "kind": TEST, "at": now, "conversation_id": null, "actor": "staff", "actor_id": by, "data": {},
    });
    let attempt: WebhookAttemptId = app.store.ids().next(now);
    let sent = send(app, &webhook.setup, &format!("test_{}", attempt.0.simple()), &told).await;
    app.store
        .write(organization, move |mut org| {
            async move {
                if org.webhook(id).await?.is_none() {
                    return Ok(None);
                }
                let noted = org.insert_webhook_attempt(id, sent.noted(None, TEST)).await?;
                Ok(Some(WebhookAttempt {
                    id: noted,
                    seq: None,
                    kind: TEST.to_owned(),
                    outcome: sent.outcome.to_owned(),
                    status: sent.status.map(i32::from),
                    millis: sent.millis,
                    created_at: org.now(),
                }))
            }
            .boxed()
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_whole_words_or_beginnings() {
        let kinds = ["message.*", "note.added"].map(str::to_owned);
        assert!(wants(&kinds, "message.received") && wants(&kinds, "note.added") && wants(&[], "anything"));
        assert!(!wants(&kinds, "messages") && !wants(&kinds, "note.added.twice"));
    }

    #[test]
    fn waits_grow_and_three_days_are_enough() {
        assert_eq!(
            [1, 2, 9, 10, 10_000].map(|failures| wait(failures).as_secs()),
            [5, 30, 28_800, 28_800, 28_800]
        );
        let first_day: u64 = (1..=9).map(|failures| wait(failures).as_secs()).sum();
        assert!(Duration::from_secs(first_day) < GIVEN_UP);
    }
}
