//! Texts of a conversation: reading them, answering, trying again.

use std::sync::Arc;

use anteroom_model::{
    ids::{ConversationId, MediaId, MessageId},
    states::{Author, ConversationState, Direction, MessageState},
};
use anteroom_store::{Actor, ConversationChange, Extra, Idempotent, NewEvent, NewOutbound, Org};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    directory::Entry,
    hub::{
        attachments,
        changes::Refusal,
        paging::{Page, PageQuery},
        views::{self, MessageView},
    },
    opt_outs, outgoing,
    problem::Problem,
    registration::RegistrationRules,
};

/// Longest reply, in characters.
pub(super) const LONGEST: usize = 1_600;
/// Longest key of a request that may be repeated.
const LONGEST_KEY: usize = 255;

/// A reply to the patient.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewMessage {
    /// 1 to 1,600 characters; may be empty where `media` isn't.
    #[serde(default)]
    body: String,
    /// Ids of uploads (`POST /api/v1/media`) that go with it, in their order.
    #[serde(default)]
    media: Vec<MediaId>,
}

/// How far back to read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Reach {
    /// Id of a text or note (ids of both grow with time): the page reaches back to it, with `limit` texts before it, so
    /// that it can be shown where it stands. A thousand texts and those at most: then `next_cursor` goes on.
    back_to: Option<MessageId>,
}

/// The texts of a conversation: a page of the newest, in the order they were written. `next_cursor` leads to
/// older ones.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages", tag = "messages",
    params(("id" = ConversationId, Path), PageQuery, Reach),
    responses((status = 200, body = Page<MessageView>), (status = 404)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    Query(page): Query<PageQuery>,
    Query(Reach { back_to }): Query<Reach>,
) -> Result<Json<Page<MessageView>>, Problem> {
    let before = page.position()?.unwrap_or(MessageId::GREATEST);
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    org.conversation(id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
    let (mut messages, more) = org.messages_back_to(id, before, back_to, page.limit()).await?;
    let oldest = messages.last().map(|message| message.id);
    messages.reverse();
    let items = views::messages(&mut org, messages, &entry).await?;
    drop(org);
    caller.audit_read(&app, "messages.read", id.0).await?;
    Ok(Json(Page::up_to(items, oldest.filter(|_| more))))
}

/// Answers the patient. The text is queued; its states follow on the event stream.
///
/// An unassigned conversation becomes the caller's. With an `Idempotency-Key`, repeating the request answers
/// with the same message and sends nothing more.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages", tag = "messages",
    params(("id" = ConversationId, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = NewMessage,
    responses((status = 201, body = MessageView), (status = 404),
        (status = 409, description = "Somebody else has it, the patient opted out, or the number may not send"),
        (status = 422)))]
pub(super) async fn send(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    Json(NewMessage { body, media }): Json<NewMessage>,
) -> Result<(StatusCode, Json<MessageView>), Problem> {
    caller.may_write()?;
    if media.is_empty() || !body.is_empty() {
        check_text(&body)?;
    }
    let key = idempotency_key(&headers)?;
    let entry = app.directory.get(caller.organization).await?;
    let rules = app.registration;
    let reply = Reply { caller: caller.clone(), entry, id, body, media, key, rules };
    let message = app
        .store
        .write(caller.organization, move |mut org| async move { reply.store(&mut org).await }.boxed())
        .await?;
    view(&app, &caller, message).await.map(|view| (StatusCode::CREATED, Json(view)))
}

/// Sends a failed, blocked or unknown text again, or works a dead or held one off again.
#[utoipa::path(post, path = "/api/v1/messages/{id}/retry", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, body = MessageView), (status = 404), (status = 409)))]
pub(super) async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<Json<MessageView>, Problem> {
    caller.may_write()?;
    let (staff, audit) = (caller.staff, caller.audit("message.retried", Some(id.0)));
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let message = org.message(id).await?.ok_or_else(|| Problem::not_found("message"))?;
                let (again, state) = match message.direction {
                    Direction::Outbound => (org.retry_outbound(id).await?, MessageState::Queued),
                    Direction::Inbound => (org.retry_inbound(id).await?, MessageState::Received),
                };
                if !again {
                    let detail = format!("This text is {}; there is nothing to try again.", message.state);
                    return Err(Problem::new(
                        StatusCode::CONFLICT,
                        "not-failed",
                        "The text has not failed",
                        detail,
                    ));
                }
                org.tell(NewEvent {
                    kind: "message.state",
                    conversation_id: message.conversation_id,
                    actor: Actor::Staff(staff),
                    data: json!({ "message_id": id, "state": state }),
                });
                org.insert_audit(&audit).await?;
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    Ok(Json(view(&app, &caller, id).await?))
}

struct Reply {
    caller: Caller,
    entry: Arc<Entry>,
    id: ConversationId,
    body: String,
    media: Vec<MediaId>,
    key: Option<String>,
    rules: RegistrationRules,
}

impl Reply {
    async fn store(self, org: &mut Org<'_>) -> Result<MessageId, Problem> {
        let me = self.caller.staff;
        let message: MessageId = org.new_id();
        if let Some(key) = &self.key {
            let mut request = [self.id.0.as_bytes().as_slice(), self.body.as_bytes()].concat();
            self.media.iter().for_each(|id| request.extend_from_slice(id.0.as_bytes()));
            match org.remember_key(me, key, &request, message.0).await? {
                Idempotent::Fresh => {}
                Idempotent::Same(before) => return Ok(MessageId(before)),
                Idempotent::Misused => return Err(misused_key()),
            }
        }
        let mut c =
            org.conversation_to_change(self.id).await?.ok_or_else(|| Problem::not_found("conversation"))?;
        match c.assignee_id {
            Some(holder) if holder != me => return Err(Refusal::HeldBy(holder).explain(org).await?),
            _ if c.state == ConversationState::Closed => return Err(Refusal::Closed.explain(org).await?),
            _ => {}
        }
        let number = org.number(c.number_id).await?.ok_or_else(|| Problem::not_found("number"))?;
        if org.is_opted_out(&c.peer, c.number_id).await? {
            let (title, detail) = ("The patient has opted out", opt_outs::OPTED_OUT);
            return Err(Problem::new(StatusCode::CONFLICT, "opted-out", title, detail));
        }
        let known = org.registration(number.id).await?;
        if let Some(detail) = self.rules.refusal(&number, known.as_ref(), org.now()) {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "not-registered",
                "This number may not send yet",
                detail,
            ));
        }
        let account = self.entry.accounts.get(&number.carrier_account_id);
        let carrier = account.ok_or_else(|| Problem::not_found("carrier account"))?.credentials.carrier();
        attachments::attach(org, &number, message, me, &self.media).await?;
        let accepted = c.assignee_id.is_none();
        c.assignee_id = Some(me);
        c.waiting_since = None;
        c.state = ConversationState::Open;
        c.snoozed_until = None;
        c.last_message_at = org.now();
        let new = NewOutbound {
            carrier_account_id: number.carrier_account_id,
            number_id: c.number_id,
            peer: c.peer.clone(),
            body: self.body,
            extra: Extra { has_uploads: !self.media.is_empty(), ..Extra::default() },
            conversation_id: Some(c.id),
            author: Author::Staff,
            author_id: Some(me),
            despite_opt_out: false,
        };
        let messages = outgoing::queue(org, carrier, message, new).await?;
        // Staff have answered: what quiet hours put off is not said any more.
        let given_up = org.cancel_automatic(c.id).await?;
        if org.update_conversation(&mut c).await? == ConversationChange::Outdated {
            return Err(Problem::unavailable());
        }
        let mut tell = Vec::new();
        if accepted {
            tell.push(("conversation.accepted", json!({ "assignee_id": me, "by": "reply" })));
        }
        tell.extend(
            given_up.iter().map(|id| ("message.unscheduled", json!({ "scheduled_id": id, "by": "reply" }))),
        );
        tell.extend(messages.iter().map(|id| ("message.queued", json!({ "message_id": id }))));
        for (kind, data) in tell {
            let (conversation_id, actor) = (Some(c.id), Actor::Staff(me));
            org.tell(NewEvent { kind, conversation_id, actor, data });
        }
        org.insert_audit(&self.caller.audit("message.sent", Some(message.0))).await?;
        Ok(message)
    }
}

async fn view(app: &App, caller: &Caller, id: MessageId) -> Result<MessageView, Problem> {
    let entry = app.directory.get(caller.organization).await?;
    let mut org = app.store.read(caller.organization).await?;
    let message = org.message(id).await?.ok_or_else(|| Problem::not_found("message"))?;
    let mut views = views::messages(&mut org, vec![message], &entry).await?;
    views.pop().ok_or_else(|| Problem::not_found("message"))
}

/// A text that people write: not empty, not endless, storable.
pub(super) fn check_text(body: &str) -> Result<(), Problem> {
    if body.trim().is_empty() {
        return Err(Problem::invalid("body is empty."));
    }
    let length = body.chars().count();
    if length > LONGEST {
        return Err(Problem::invalid(format!("body has {length} characters; {LONGEST} is the most.")));
    }
    check_storable(body)
}

/// PostgreSQL stores no NUL.
pub(super) fn check_storable(body: &str) -> Result<(), Problem> {
    if body.contains('\0') { Err(Problem::invalid("body contains a NUL character.")) } else { Ok(()) }
}

/// The `Idempotency-Key`, if one was sent.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST_KEY => Ok(Some(key.to_owned())),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key",
            "Unusable Idempotency-Key",
            "An Idempotency-Key has 1 to 255 visible ASCII characters.",
        )),
    }
}

/// The key came with another request before.
pub(super) fn misused_key() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "idempotency-key-reused",
        "The Idempotency-Key was used before",
        "This Idempotency-Key came with another request before. Use a new one.",
    )
}
