//! Programs of the organization that are told what happens.

use std::time::Duration;

use anteroom_carriers::PostError;
use anteroom_model::{
    ids::{StaffId, WebhookAttemptId, WebhookId},
    states::{Role, WebhookState},
    time::Timestamp,
};
use anteroom_store::{
    Actor, Idempotent, NewEvent, Org, PreviousSecret, Webhook, WebhookAttempt, WebhookSetup,
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::Caller,
    hub::{
        changes::if_match,
        messages::{idempotency_key, misused_key},
        paging::{Page, PageQuery},
    },
    problem::Problem,
    webhooks::{sign, tell},
};

const READERS: [Role; 2] = [Role::Admin, Role::Auditor];
/// Webhooks of an organization at most.
const MOST: usize = 20;
const LONGEST_URL: usize = 2_000;
const LONGEST_DESCRIPTION: usize = 200;
/// Kinds that one can name at most.
const MOST_KINDS: usize = 100;
/// How long both secrets count at most, in hours.
const LONGEST_OVERLAP: u32 = 7 * 24;

/// A program that is told what happens.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookView {
    id: WebhookId,
    url: String,
    description: String,
    /// Kinds of events that it is told, or their beginnings (`message.*`); none: all.
    kinds: Vec<String>,
    state: WebhookState,
    /// The last event that is dealt with, by its `seq`.
    position: i64,
    /// Events that it has not been told yet, of all kinds.
    behind: i64,
    /// Tries of the next event that failed.
    failures: i32,
    #[schema(value_type = Option<String>, format = DateTime)]
    failing_since: Option<Timestamp>,
    /// What the last try came to, where it failed: `refused`, `failed`, `gone`, `throttled`, `redirected`,
    /// `timed_out`, `unreachable` or `address`.
    failure: Option<String>,
    /// When the next try is due, after one that failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_try_at: Option<Timestamp>,
    /// The last success.
    #[schema(value_type = Option<String>, format = DateTime)]
    told_at: Option<Timestamp>,
    /// It is signed with the secret before, too, until then.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_secret_until: Option<Timestamp>,
    created_by: Option<StaffId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// For `If-Match`.
    version: i64,
}

fn view(webhook: &Webhook, last: i64, now: Timestamp) -> WebhookView {
    let previous = webhook.setup.previous.as_ref().map(|previous| previous.until);
    WebhookView {
        id: webhook.id,
        url: webhook.setup.url.clone(),
        description: webhook.setup.description.clone(),
        kinds: webhook.kinds.clone(),
        state: webhook.state,
        position: webhook.position,
        behind: (last - webhook.position).max(0),
        failures: webhook.failures,
        failing_since: webhook.failing_since,
        failure: webhook.failure.clone(),
        next_try_at: webhook.due_at,
        told_at: webhook.told_at,
        previous_secret_until: previous.filter(|until| *until > now),
        created_by: webhook.created_by,
        created_at: webhook.created_at,
        updated_at: webhook.updated_at,
        version: webhook.version,
    }
}

/// A webhook with what it is signed with, which is shown now and not again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookWithSecret {
    webhook: WebhookView,
    /// `whsec_…`, as the libraries of Standard Webhooks take it.
    secret: String,
}

/// One try to tell it something.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WebhookAttemptView {
    id: WebhookAttemptId,
    /// The event; null for a test.
    seq: Option<i64>,
    kind: String,
    /// `delivered`, or what failed.
    outcome: String,
    /// What it answered, if anything.
    status: Option<i32>,
    millis: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

fn attempt_view(attempt: WebhookAttempt) -> WebhookAttemptView {
    let WebhookAttempt { id, seq, kind, outcome, status, millis, created_at: at } = attempt;
    WebhookAttemptView { id, seq, kind, outcome, status, millis, at }
}

/// A webhook to be made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWebhook {
    /// `https`, and of the public internet unless the operator permits it.
    url: String,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// Kinds of events, or their beginnings (`message.*`); none: all.
    #[serde(default)]
    kinds: Vec<String>,
    /// It is told what happened after this event; by default, what happens from now on.
    after_seq: Option<i64>,
}

/// What a webhook is to become; what is absent stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookChange {
    url: Option<String>,
    description: Option<String>,
    kinds: Option<Vec<String>>,
    /// `active` or `paused`. What failed for too long begins anew where it stopped.
    state: Option<WebhookState>,
}

/// A secret to be replaced.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSecret {
    /// The secret before signs too for so many hours, 0 to 168; 24 by default.
    overlap_hours: Option<u32>,
}

/// Where a webhook is to begin again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayFrom {
    /// It is told all that happened after this event, again: 0 for everything.
    after_seq: i64,
}

fn check_url(app: &App, url: &str) -> Result<String, Problem> {
    let trimmed = url.trim();
    let parsed = trimmed.parse().ok().filter(|_| trimmed.len() <= LONGEST_URL);
    let wrong = |detail: &'static str| Problem::invalid(detail).with("field", "url");
    let parsed = parsed.ok_or_else(|| wrong("url is no address."))?;
    app.carriers.check_post(&parsed).map_err(|error| match error {
        PostError::Address("scheme") => wrong("url begins with https://."),
        PostError::Address("credentials") => {
            wrong("url has no name and password: requests are signed instead.")
        }
        _ => wrong("url is of the public internet; the operator can permit another one (docs/webhooks.md)."),
    })?;
    Ok(trimmed.to_owned())
}

fn check_description(description: &str) -> Result<String, Problem> {
    let trimmed = description.trim();
    if trimmed.chars().count() > LONGEST_DESCRIPTION || trimmed.contains(char::is_control) {
        return Err(Problem::invalid("description has 200 characters at most.").with("field", "description"));
    }
    Ok(trimmed.to_owned())
}

fn check_kinds(kinds: Vec<String>) -> Result<Vec<String>, Problem> {
    let is_kind = |kind: &String| {
        let stem = kind.strip_suffix('*').unwrap_or(kind);
        let letters = |letter: char| letter.is_ascii_lowercase() || matches!(letter, '.' | '_');
        (1..=60).contains(&kind.len()) && stem.chars().all(letters)
    };
    if kinds.len() > MOST_KINDS || !kinds.iter().all(is_kind) {
        let detail =
            "kinds are names of events (message.received) or their beginnings (message.*), 100 at most.";
        return Err(Problem::invalid(detail).with("field", "kinds"));
    }
    Ok(kinds)
}

fn secret(app: &App) -> Vec<u8> {
    app.store.ids().secret::<{ sign::SECRET }>().to_vec()
}

fn tell_staff(org: &Org<'_>, kind: &'static str, id: WebhookId, by: &Caller) {
    let (actor, data) = (Actor::Staff(by.staff), json!({ "webhook_id": id }));
    org.tell(NewEvent { kind, conversation_id: None, actor, data });
}

/// Webhooks, in the order in which they were made. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks",
    responses((status = 200, body = Page<WebhookView>), (status = 403)))]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Page<WebhookView>>, Problem> {
    caller.require(&READERS)?;
    let mut org = app.store.read(caller.organization).await?;
    let (webhooks, (_, last), now) = (org.webhooks().await?, org.event_bounds().await?, org.now());
    Ok(Json(Page::all(webhooks.iter().map(|webhook| view(webhook, last, now)).collect())))
}

/// One webhook. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = WebhookId, Path)),
    responses((status = 200, body = WebhookView), (status = 403), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
) -> Result<Json<WebhookView>, Problem> {
    caller.require(&READERS)?;
    let mut org = app.store.read(caller.organization).await?;
    let webhook = org.webhook(id).await?.ok_or_else(|| Problem::not_found("webhook"))?;
    let (_, last) = org.event_bounds().await?;
    Ok(Json(view(&webhook, last, org.now())))
}

/// Makes a webhook, and its secret, which is shown in this answer only. For admins; audited.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", request_body = NewWebhook,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses((status = 201, body = WebhookWithSecret), (status = 403),
        (status = 409, description = "There are twenty already"),
        (status = 422, description = "`field` says which part")))]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(wanted): Json<NewWebhook>,
) -> Result<Response, Problem> {
    caller.require(&[Role::Admin])?;
    let key = idempotency_key(&headers)?;
    let request = serde_json::to_vec(&wanted).map_err(|error| Problem::internal(&error))?;
    let setup = WebhookSetup {
        url: check_url(&app, &wanted.url)?,
        description: check_description(&wanted.description)?,
        secret: secret(&app),
        previous: None,
    };
    let (kinds, after) = (check_kinds(wanted.kinds)?, wanted.after_seq);
    let author = caller.clone();
    let made = app
        .store
        .write(caller.organization, move |mut org| {
            async move {
                let (id, (_, last)): (WebhookId, _) = (org.new_id(), org.event_bounds().await?);
                if let Some(key) = &key {
                    match org.remember_key(author.staff, key, &request, id.0).await? {
                        Idempotent::Fresh => {}
                        Idempotent::Same(before) => return with_secret(&mut org, WebhookId(before)).await,
                        Idempotent::Misused => return Err(misused_key()),
                    }
                }
                if org.webhooks().await?.len() >= MOST {
                    let detail = "There are twenty webhooks already.";
                    return Err(Problem::new(StatusCode::CONFLICT, "too-many", "Too many webhooks", detail));
                }
                let position = position(after.unwrap_or(last), last)?;
                org.insert_webhook(id, &setup, &kinds, position, author.staff).await?;
                org.insert_audit(&author.audit("webhook.created", Some(id.0))).await?;
                tell_staff(&org, "webhook.created", id, &author);
                with_secret(&mut org, id).await
            }
            .boxed()
        })
        .await?;
    let location = [(header::LOCATION, format!("/api/v1/webhooks/{}", made.webhook.id))];
    Ok((StatusCode::CREATED, location, Json(made)).into_response())
}

async fn with_secret(org: &mut Org<'_>, id: WebhookId) -> Result<WebhookWithSecret, Problem> {
    let webhook = org.webhook(id).await?.ok_or_else(|| Problem::not_found("webhook"))?;
    let (_, last) = org.event_bounds().await?;
    let secret = sign::written(&webhook.setup.secret);
    Ok(WebhookWithSecret { webhook: view(&webhook, last, org.now()), secret })
}

fn position(after: i64, last: i64) -> Result<i64, Problem> {
    if (0..=last).contains(&after) {
        return Ok(after);
    }
    Err(Problem::invalid(format!("after_seq is 0 to {last}, the last event there is."))
        .with("field", "after_seq"))
}

/// Changes a webhook that is as the caller knows it, notes it and tells it.
async fn change_it(
    app: &App,
    caller: &Caller,
    id: WebhookId,
    expected: Option<i64>,
    audited: &'static str,
    change: impl FnOnce(&mut Webhook, i64) -> Result<(), Problem> + Send + 'static,
) -> Result<WebhookWithSecret, Problem> {
    caller.require(&[Role::Admin])?;
    let author = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let mut webhook = org.webhook(id).await?.ok_or_else(|| Problem::not_found("webhook"))?;
                let (_, last) = org.event_bounds().await?;
                let known = expected.unwrap_or(webhook.version);
                change(&mut webhook, last)?;
                if known != webhook.version || !org.update_webhook(&webhook).await? {
                    let detail = "Somebody changed this webhook since you read it. Read it again.";
                    let title = "The webhook has changed";
                    return Err(Problem::new(StatusCode::CONFLICT, "changed", title, detail)
                        .with("version", webhook.version));
                }
                org.insert_audit(&author.audit(audited, Some(id.0))).await?;
                tell_staff(&org, "webhook.changed", id, &author);
                with_secret(&mut org, id).await
            }
            .boxed()
        })
        .await
}

/// Changes a webhook; what was failing is tried again at once. For admins; audited.
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", tag = "webhooks", request_body = WebhookChange,
    params(("id" = WebhookId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = WebhookView), (status = 403), (status = 404),
        (status = 409, description = "It was changed since: `version`"),
        (status = 422, description = "`field` says which part")))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
    headers: HeaderMap,
    Json(wanted): Json<WebhookChange>,
) -> Result<Json<WebhookView>, Problem> {
    let expected = if_match(&headers)?;
    let url = wanted.url.map(|url| check_url(&app, &url)).transpose()?;
    let description = wanted.description.map(|description| check_description(&description)).transpose()?;
    let kinds = wanted.kinds.map(check_kinds).transpose()?;
    if wanted.state == Some(WebhookState::Disabled) {
        return Err(Problem::invalid("state is active or paused.").with("field", "state"));
    }
    let changed = change_it(&app, &caller, id, expected, "webhook.changed", move |webhook, _| {
        if let Some(url) = url {
            webhook.setup.url = url;
        }
        if let Some(description) = description {
            webhook.setup.description = description;
        }
        webhook.kinds = kinds.unwrap_or_else(|| std::mem::take(&mut webhook.kinds));
        webhook.state = wanted.state.unwrap_or(webhook.state);
        Ok(())
    });
    Ok(Json(changed.await?.webhook))
}

/// Gives a webhook a new secret, shown in this answer only; the one before signs too for some hours. For admins;
/// audited.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/rotate", tag = "webhooks", request_body = NewSecret,
    params(("id" = WebhookId, Path)),
    responses((status = 200, body = WebhookWithSecret), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn rotate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
    Json(NewSecret { overlap_hours }): Json<NewSecret>,
) -> Result<Json<WebhookWithSecret>, Problem> {
    let hours = overlap_hours.unwrap_or(24);
    if hours > LONGEST_OVERLAP {
        return Err(Problem::invalid("overlap_hours is 0 to 168.").with("field", "overlap_hours"));
    }
    let until = app.store.now().plus(Duration::from_hours(hours.into()));
    let new = secret(&app);
    let rotated = change_it(&app, &caller, id, None, "webhook.rotated", move |webhook, _| {
        let secret = std::mem::replace(&mut webhook.setup.secret, new);
        webhook.setup.previous = (hours > 0).then_some(PreviousSecret { secret, until });
        Ok(())
    });
    Ok(Json(rotated.await?))
}

/// Tells a webhook again what happened after an event, under the same ids. For admins; audited.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/replay", tag = "webhooks", request_body = ReplayFrom,
    params(("id" = WebhookId, Path)),
    responses((status = 200, body = WebhookView), (status = 403), (status = 404), (status = 422)))]
pub(super) async fn replay(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
    Json(ReplayFrom { after_seq }): Json<ReplayFrom>,
) -> Result<Json<WebhookView>, Problem> {
    let replayed = change_it(&app, &caller, id, None, "webhook.replayed", move |webhook, last| {
        webhook.position = position(after_seq, last)?;
        Ok(())
    });
    Ok(Json(replayed.await?.webhook))
}

/// Sends a webhook a made-up event (`webhook.test`) now, whatever its state, and says what came of it. For admins;
/// audited.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks", params(("id" = WebhookId, Path)),
    responses((status = 200, body = WebhookAttemptView), (status = 403), (status = 404)))]
pub(super) async fn test(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
) -> Result<Json<WebhookAttemptView>, Problem> {
    caller.require(&[Role::Admin])?;
    let webhook = app.store.read(caller.organization).await?.webhook(id).await?;
    let webhook = webhook.ok_or_else(|| Problem::not_found("webhook"))?;
    caller.audit_read(&app, "webhook.tested", id.0).await?;
    let attempt = tell::test(&app, caller.organization, webhook, caller.staff).await?;
    Ok(Json(attempt_view(attempt.ok_or_else(|| Problem::not_found("webhook"))?)))
}

/// Forgets a webhook and its tries. For admins; audited.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = WebhookId, Path)),
    responses((status = 204), (status = 403), (status = 404)))]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
) -> Result<StatusCode, Problem> {
    caller.require(&[Role::Admin])?;
    let author = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                if !org.delete_webhook(id).await? {
                    return Err(Problem::not_found("webhook"));
                }
                org.insert_audit(&author.audit("webhook.deleted", Some(id.0))).await?;
                tell_staff(&org, "webhook.deleted", id, &author);
                Ok(())
            }
            .boxed()
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The last tries to tell a webhook something, newest first; 200 are kept. For admins and auditors.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/attempts", tag = "webhooks",
    params(("id" = WebhookId, Path), PageQuery),
    responses((status = 200, body = Page<WebhookAttemptView>), (status = 403), (status = 404)))]
pub(super) async fn attempts(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WebhookId>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<WebhookAttemptView>>, Problem> {
    caller.require(&READERS)?;
    let before = page.position()?.unwrap_or(WebhookAttemptId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    org.webhook(id).await?.ok_or_else(|| Problem::not_found("webhook"))?;
    let attempts = org.webhook_attempts(id, before, page.limit()).await?;
    let last = attempts.last().map(|attempt| attempt.id);
    Ok(Json(Page::cut(attempts.into_iter().map(attempt_view).collect(), page.limit(), last)))
}

/// What is done with webhooks over REST.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, change, delete))
        .routes(routes!(rotate))
        .routes(routes!(replay))
        .routes(routes!(test))
        .routes(routes!(attempts))
}
