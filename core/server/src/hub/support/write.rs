//! Asking, answering, closing.

use anteroom_model::{
    ids::{TicketId, TicketMessageId},
    states::{Role, TicketState},
};
use anteroom_store::{Actor, Idempotent, NewEvent, Org, TicketContent};
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use futures::FutureExt;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{TicketContext, WholeTicket, visible, whole};
use crate::{
    app::App,
    auth::Caller,
    hub::messages::{check_storable, idempotency_key, misused_key},
    problem::Problem,
};

const LONGEST_SUBJECT: usize = 150;
const LONGEST_BODY: usize = 5_000;
/// Of each part of a context, in characters.
const LONGEST_PART: usize = 80;
const MOST_REQUESTS: usize = 10;

/// A question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTicket {
    /// 1 to 150 characters, on one line.
    subject: String,
    /// 1 to 5,000 characters. It leaves the clinic where tickets are mailed: no patients' names.
    body: String,
    /// Only what the person has seen and agreed to.
    context: Option<TicketContext>,
}

/// More of a question, or an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTicketMessage {
    /// 1 to 5,000 characters.
    body: String,
}

/// Asks for help. Anybody may, also an auditor.
#[utoipa::path(post, path = "/api/v1/support/tickets", tag = "help",
    params(("Idempotency-Key" = Option<String>, Header)), request_body = NewTicket,
    responses((status = 201, body = WholeTicket), (status = 422)))]
pub(crate) async fn ask(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(new): Json<NewTicket>,
) -> Result<(StatusCode, Json<WholeTicket>), Problem> {
    check_subject(&new.subject)?;
    check_body(&new.body)?;
    if let Some(context) = &new.context {
        check_context(context)?;
    }
    let key = idempotency_key(&headers)?;
    let (by, mailed) = (caller.clone(), app.mailer.get().is_some());
    let id = app
        .store
        .write(caller.organization, move |mut org| {
            async move { open(&mut org, &by, new, key, mailed).await }.boxed()
        })
        .await?;
    Ok((StatusCode::CREATED, Json(whole(&app, &caller, id).await?)))
}

async fn open(
    org: &mut Org<'_>,
    by: &Caller,
    new: NewTicket,
    key: Option<String>,
    mailed: bool,
) -> Result<TicketId, Problem> {
    let id: TicketId = org.new_id();
    let context = new.context.map(serde_json::to_value).transpose();
    let context = context.map_err(|error| Problem::internal(&error))?;
    if let Some(key) = key {
        let request = json!(["ticket", new.subject, new.body, context]).to_string();
        match org.remember_key(by.staff, &key, request.as_bytes(), id.0).await? {
            Idempotent::Fresh => {}
            Idempotent::Same(before) => return Ok(TicketId(before)),
            Idempotent::Misused => return Err(misused_key()),
        }
    }
    org.insert_ticket(id, by.staff, &TicketContent { subject: new.subject, context }).await?;
    let message = org.new_id();
    org.insert_ticket_message(id, message, Some(by.staff), &new.body, mailed).await?;
    tell(org, by, "support.asked", id);
    org.insert_audit(&by.audit("support.asked", Some(id.0))).await?;
    Ok(id)
}

/// Says more as the one who asked, or answers as an administrator. Both open a closed ticket again: as waiting, or as
/// answered.
#[utoipa::path(post, path = "/api/v1/support/tickets/{id}/messages", tag = "help",
    params(("id" = TicketId, Path), ("Idempotency-Key" = Option<String>, Header)), request_body = NewTicketMessage,
    responses((status = 201, body = WholeTicket), (status = 404), (status = 422)))]
pub(crate) async fn say(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TicketId>,
    headers: HeaderMap,
    Json(NewTicketMessage { body }): Json<NewTicketMessage>,
) -> Result<(StatusCode, Json<WholeTicket>), Problem> {
    check_body(&body)?;
    let key = idempotency_key(&headers)?;
    let (by, mailed) = (caller.clone(), app.mailer.get().is_some());
    app.store
        .write(caller.organization, move |mut org| {
            async move { add(&mut org, &by, id, &body, key, mailed).await }.boxed()
        })
        .await?;
    Ok((StatusCode::CREATED, Json(whole(&app, &caller, id).await?)))
}

async fn add(
    org: &mut Org<'_>,
    by: &Caller,
    id: TicketId,
    body: &str,
    key: Option<String>,
    mailed: bool,
) -> Result<(), Problem> {
    let ticket = visible(org, by, id).await?;
    let message: TicketMessageId = org.new_id();
    if let Some(key) = key {
        let request = json!(["ticket message", id, body]).to_string();
        match org.remember_key(by.staff, &key, request.as_bytes(), message.0).await? {
            Idempotent::Fresh => {}
            Idempotent::Same(_) => return Ok(()),
            Idempotent::Misused => return Err(misused_key()),
        }
    }
    let asks = ticket.author_id == by.staff;
    // An answer is read in the Hub; what is asked goes to the operator.
    org.insert_ticket_message(id, message, Some(by.staff), body, mailed && asks).await?;
    let kind = if asks { "support.asked" } else { "support.answered" };
    if asks {
        org.ticket_asked(id).await?;
    } else {
        org.ticket_answered(id).await?;
    }
    tell(org, by, kind, id);
    org.insert_audit(&by.audit(kind, Some(id.0))).await?;
    Ok(())
}

/// The one who asked has read the answers.
#[utoipa::path(post, path = "/api/v1/support/tickets/{id}/seen", tag = "help", params(("id" = TicketId, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn seen(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TicketId>,
) -> Result<StatusCode, Problem> {
    let by = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                let ticket = visible(&mut org, &by, id).await?;
                if ticket.author_id == by.staff && ticket.is_unread() {
                    org.ticket_seen(id).await?;
                    tell(&org, &by, "support.seen", id);
                }
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Closes a ticket: the one who asked, or an administrator.
#[utoipa::path(post, path = "/api/v1/support/tickets/{id}/close", tag = "help", params(("id" = TicketId, Path)),
    responses((status = 200, body = WholeTicket), (status = 404)))]
pub(crate) async fn close(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TicketId>,
) -> Result<Json<WholeTicket>, Problem> {
    let by = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                visible(&mut org, &by, id).await?;
                if org.set_ticket_state(id, TicketState::Closed).await? {
                    tell(&org, &by, "support.closed", id);
                    org.insert_audit(&by.audit("support.closed", Some(id.0))).await?;
                }
                Ok::<_, Problem>(())
            }
            .boxed()
        })
        .await?;
    whole(&app, &caller, id).await.map(Json)
}

/// Tries anew to mail what was given up. For administrators.
#[utoipa::path(post, path = "/api/v1/support/tickets/{id}/mail", tag = "help", params(("id" = TicketId, Path)),
    responses((status = 200, body = WholeTicket), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn mail(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TicketId>,
) -> Result<Json<WholeTicket>, Problem> {
    caller.require(&[Role::Admin])?;
    let by = caller.clone();
    app.store
        .write(caller.organization, move |mut org| {
            async move {
                visible(&mut org, &by, id).await?;
                if !org.mail_ticket_again(id).await? {
                    let detail = "No mail of this ticket was given up.";
                    return Err(Problem::new(
                        StatusCode::CONFLICT,
                        "not-failed",
                        "Nothing to try again",
                        detail,
                    ));
                }
                tell(&org, &by, "support.mail", id);
                Ok(())
            }
            .boxed()
        })
        .await?;
    whole(&app, &caller, id).await.map(Json)
}

fn tell(org: &Org<'_>, by: &Caller, kind: &'static str, id: TicketId) {
    let data = json!({ "ticket_id": id });
    org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Staff(by.staff), data });
}

fn check_subject(subject: &str) -> Result<(), Problem> {
    let length = subject.chars().count();
    if subject.trim().is_empty() || length > LONGEST_SUBJECT || subject.contains(char::is_control) {
        return Err(Problem::invalid("subject has 1 to 150 characters on one line."));
    }
    Ok(())
}

/// Also from a terminal.
pub(crate) fn check_body(body: &str) -> Result<(), Problem> {
    if body.trim().is_empty() || body.chars().count() > LONGEST_BODY {
        return Err(Problem::invalid("body has 1 to 5,000 characters."));
    }
    check_storable(body)
}

/// Ids, versions and names of pages: nothing that could be a sentence, a name or a phone number in disguise is long or
/// of other letters.
fn check_context(context: &TicketContext) -> Result<(), Problem> {
    let TicketContext { place, version, browser, language, request_ids, .. } = context;
    let plain = |text: &str, others: &str| {
        text.chars().count() <= LONGEST_PART
            && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
    };
    let no_phone = |text: &str| text.chars().filter(char::is_ascii_digit).count() < 10;
    let parts = [
        ("context.place", plain(place, "/-_") && no_phone(place)),
        ("context.version", plain(version, ".-+") && no_phone(version)),
        ("context.browser", plain(browser, " .,-_/") && no_phone(browser)),
        ("context.language", plain(language, "-") && no_phone(language)),
        (
            "context.request_ids",
            request_ids.len() <= MOST_REQUESTS && request_ids.iter().all(|id| plain(id, "-")),
        ),
    ];
    match parts.iter().find(|(_, good)| !good) {
        Some((name, _)) => Err(Problem::invalid(format!("{name} holds something else than it should."))),
        None => Ok(()),
    }
}
