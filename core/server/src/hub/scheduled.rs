//! Replies to be sent later: written, changed and given up until their time comes.

use std::time::Duration;

use anteroom_model::{
    ids::{ConversationId, MessageId, ScheduledTextId},
    states::{Author, ScheduledState},
    time::Timestamp,
};
use anteroom_store::{
    Actor, Extra, Idempotent, MOST_SCHEDULED, NewEvent, NewScheduledText, Org, ScheduledText,
};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::Caller,
    hub::{
        changes::if_match,
        messages::{check_text, idempotency_key, misused_key},
        paging::Page,
        views::Names,
    },
    problem::Problem,
};

/// How far ahead a text may be written: what is later was mistyped.
const FARTHEST: Duration = Duration::from_hours(366 * 24);

/// A text to be sent later.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewScheduled {
    /// 1 to 1,600 characters.
    body: String,
    /// When; in the future, up to a year ahead.
    #[schema(value_type = String, format = DateTime)]
    send_at: Timestamp,
}

/// What is to be different; absent: as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedScheduled {
    body: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    send_at: Option<Timestamp>,
}

/// A text that waits for its time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScheduledView {
    id: ScheduledTextId,
    conversation_id: ConversationId,
    body: String,
    /// `staff`, or `policy` for a reply that quiet hours have put off.
    author: Author,
    author_name: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    send_at: Timestamp,
    state: ScheduledState,
    /// The message it became.
    message_id: Option<MessageId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// For `If-Match`.
    version: i64,
}

fn view(text: ScheduledText, names: &Names) -> ScheduledView {
    ScheduledView {
        id: text.id,
        conversation_id: text.conversation_id,
        body: text.body,
        author: text.author,
        author_name: text.author_id.map(|id| names.staff_name(id)),
        send_at: text.send_at,
        state: text.state,
        message_id: text.message_id,
        created_at: text.created_at,
        updated_at: text.updated_at,
        version: text.version,
    }
}

/// What waits in a conversation, the next one first. The read is audited.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/scheduled", tag = "messages",
    params(("id" = ConversationId, Path)),
    responses((status = 200, body = Page<ScheduledView>), (status = 404)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
) -> Result<Json<Page<ScheduledView>>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
    let list = org.scheduled_of(id).await?;
    let names = Names::read(&mut org).await?;
    drop(org);
    caller.audit_read(&app, "messages.read", id.0).await?;
    Ok(Json(Page::all(list.into_iter().map(|text| view(text, &names)).collect())))
}

/// Writes a reply that is sent later. Whether the patient has opted out and the number may send is looked at then: a
/// text that may not go stands in the conversation as blocked, with the reason. Up to 50 wait in a conversation.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/scheduled", tag = "messages",
    params(("id" = ConversationId, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = NewScheduled,
    responses((status = 201, body = ScheduledView), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn add(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(NewScheduled { body, send_at }): Json<NewScheduled>,
) -> Result<(StatusCode, Json<ScheduledView>), Problem> {
    caller.may_write()?;
    check_text(&body)?;
    check_time(&app, send_at)?;
    let key = idempotency_key(&headers)?;
    let by = caller.clone();
    let text = app
        .store
        .write(caller.organization, move |mut org| {
            async move { store(&mut org, &by, id, body, send_at, key).await }.boxed()
        })
        .await?;
    Ok((StatusCode::CREATED, Json(read(&app, &caller, text).await?)))
}

async fn store(
    org: &mut Org<'_>,
    by: &Caller,
    conversation_id: ConversationId,
    body: String,
    send_at: Timestamp,
    key: Option<String>,
) -> Result<ScheduledTextId, Problem> {
    org.conversation(conversation_id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
    let id: ScheduledTextId = org.new_id();
    if let Some(key) = key {
        let moment = send_at.micros().to_be_bytes();
        let request = [conversation_id.0.as_bytes().as_slice(), &moment, body.as_bytes()].concat();
        match org.remember_key(by.staff, &key, &request, id.0).await? {
            Idempotent::Fresh => {}
            Idempotent::Same(before) => return Ok(ScheduledTextId(before)),
            Idempotent::Misused => return Err(misused_key()),
        }
    }
    if org.scheduled_of(conversation_id).await?.len() >= usize::try_from(MOST_SCHEDULED).unwrap_or(usize::MAX)
    {
        let detail = "Fifty texts wait in this conversation already.";
        return Err(Problem::new(StatusCode::CONFLICT, "too-many", "Too many texts wait", detail));
    }
    let new = NewScheduledText {
        conversation_id,
        body,
        extra: Extra::default(),
        author: Author::Staff,
        author_id: Some(by.staff),
        send_at,
    };
    org.schedule_as(id, &new).await?;
    tell(org, by, "message.scheduled", conversation_id, json!({ "scheduled_id": id, "send_at": send_at }));
    org.insert_audit(&by.audit("message.scheduled", Some(id.0))).await?;
    Ok(id)
}

/// Changes the words or the time of a text that still waits. `If-Match` takes its version.
#[utoipa::path(patch, path = "/api/v1/scheduled/{id}", tag = "messages",
    params(("id" = ScheduledTextId, Path), ("If-Match" = Option<String>, Header)),
    request_body = ChangedScheduled,
    responses((status = 200, body = ScheduledView), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ScheduledTextId>,
    headers: HeaderMap,
    Json(wanted): Json<ChangedScheduled>,
) -> Result<Json<ScheduledView>, Problem> {
    caller.may_write()?;
    let expected = if_match(&headers)?;
    if let Some(body) = &wanted.body {
        check_text(body)?;
    }
    if let Some(send_at) = wanted.send_at {
        check_time(&app, send_at)?;
    }
    let by = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let known = org.scheduled(id).await?.ok_or_else(|| Problem::not_found("scheduled text"))?;
                if expected.is_some_and(|version| version != known.version) {
                    return Err(changed(&known));
                }
                let body = wanted.body.as_ref().unwrap_or(&known.body);
                let send_at = wanted.send_at.unwrap_or(known.send_at);
                if !org.change_scheduled(id, known.version, body, send_at).await? {
                    return Err(changed(&known));
                }
                let data = json!({ "scheduled_id": id, "send_at": send_at });
                tell(&org, &by, "message.rescheduled", known.conversation_id, data);
                org.insert_audit(&by.audit("message.rescheduled", Some(id.0))).await?;
                Ok(())
            }
            .boxed()
        })
        .await?;
    Ok(Json(read(&app, &caller, id).await?))
}

/// Gives a text up that still waits.
#[utoipa::path(delete, path = "/api/v1/scheduled/{id}", tag = "messages", params(("id" = ScheduledTextId, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(super) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ScheduledTextId>,
) -> Result<StatusCode, Problem> {
    caller.may_write()?;
    let by = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let known = org.scheduled(id).await?.ok_or_else(|| Problem::not_found("scheduled text"))?;
                if !org.cancel_scheduled(id).await? {
                    return Err(changed(&known));
                }
                let data = json!({ "scheduled_id": id });
                tell(&org, &by, "message.unscheduled", known.conversation_id, data);
                org.insert_audit(&by.audit("message.unscheduled", Some(id.0))).await?;
                Ok(())
            }
            .boxed()
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn read(app: &App, caller: &Caller, id: ScheduledTextId) -> Result<ScheduledView, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let text = org.scheduled(id).await?.ok_or_else(|| Problem::not_found("scheduled text"))?;
    let names = Names::read(&mut org).await?;
    Ok(view(text, &names))
}

fn check_time(app: &App, send_at: Timestamp) -> Result<(), Problem> {
    let now = app.store.now();
    if send_at <= now || send_at.since(now) > FARTHEST {
        return Err(Problem::invalid("send_at lies in the future, up to a year ahead."));
    }
    Ok(())
}

/// It has been sent, given up or changed meanwhile.
fn changed(known: &ScheduledText) -> Problem {
    let (kind, detail) = match known.state {
        ScheduledState::Waiting => {
            ("changed", "Somebody changed this text since you read it. Read it again.")
        }
        ScheduledState::Sent => ("sent", "This text has been sent."),
        ScheduledState::Canceled => ("canceled", "This text was given up."),
    };
    let problem = Problem::new(StatusCode::CONFLICT, kind, "The text has changed", detail);
    problem.with("version", known.version)
}

fn tell(org: &Org<'_>, by: &Caller, kind: &'static str, conversation: ConversationId, data: Value) {
    let (conversation_id, actor) = (Some(conversation), Actor::Staff(by.staff));
    org.tell(NewEvent { kind, conversation_id, actor, data });
}
