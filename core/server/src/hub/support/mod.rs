//! Questions to whoever runs Anteroom: what the person wrote, with a context that they have seen and agreed to.
//!
//! Everybody asks and reads their own; administrators read and answer all of their organization. The operator answers
//! from a terminal (`anteroom admin tickets`).

pub(super) mod write;

use anteroom_model::{
    ids::{ConversationId, StaffId, TicketId, TicketMessageId},
    states::{MailState, Role, TicketState},
    time::Timestamp,
};
use anteroom_store::{Org, Ticket, TicketMessage};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    hub::{
        paging::{Page, PageQuery},
        views::{Named, Names},
    },
    problem::Problem,
};

/// Where the person was and with what: ids and states, no names, no numbers, nothing that anybody wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TicketContext {
    /// The page of the Hub, for example `inbox/mine`.
    pub(super) place: String,
    /// Anteroom's version.
    pub(super) version: String,
    /// For example `Firefox 140, Windows`.
    pub(super) browser: String,
    /// The person's role.
    pub(super) role: Role,
    /// The Hub's language.
    pub(super) language: String,
    /// Whether live updates worked.
    pub(super) live: bool,
    /// Of the last requests that failed.
    pub(super) request_ids: Vec<String>,
    /// The conversation that was open.
    pub(super) conversation_id: Option<ConversationId>,
}

/// A ticket of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TicketView {
    id: TicketId,
    author: Named<StaffId>,
    subject: String,
    state: TicketState,
    /// Whether its author hasn't seen the last answer.
    unread: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A ticket with what was said.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WholeTicket {
    #[serde(flatten)]
    ticket: TicketView,
    context: Option<TicketContext>,
    messages: Vec<TicketMessageView>,
}

/// What was said in a ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TicketMessageView {
    id: TicketMessageId,
    /// Null: the operator of Anteroom.
    author: Option<Named<StaffId>>,
    body: String,
    /// How far it is as a mail to the operator.
    mail: MailState,
    /// Why the last attempt to mail it failed: `unreachable`, `timeout`, `tls`, `login`, `busy`, `refused`, `protocol`
    /// or `gone`.
    mail_problem: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn view(ticket: Ticket, names: &Names) -> TicketView {
    TicketView {
        id: ticket.id,
        author: names.staff(ticket.author_id),
        unread: ticket.is_unread(),
        subject: ticket.content.subject,
        state: ticket.state,
        created_at: ticket.created_at,
        updated_at: ticket.updated_at,
    }
}

fn message_view(message: TicketMessage, names: &Names) -> TicketMessageView {
    TicketMessageView {
        id: message.id,
        author: message.author_id.map(|id| names.staff(id)),
        body: message.body,
        mail: message.mail,
        mail_problem: message.mail_problem,
        created_at: message.created_at,
    }
}

/// The ticket, if this person may see it: one of somebody else's is for administrators only.
async fn visible(org: &mut Org<'_>, caller: &Caller, id: TicketId) -> Result<Ticket, Problem> {
    let ticket = org.ticket(id).await?;
    let may_see = |ticket: &Ticket| ticket.author_id == caller.staff || caller.role == Role::Admin;
    ticket.filter(may_see).ok_or_else(|| Problem::not_found("ticket"))
}

/// The ticket with what was said, as this person sees it.
async fn whole(app: &App, caller: &Caller, id: TicketId) -> Result<WholeTicket, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let ticket = visible(&mut org, caller, id).await?;
    let messages = org.ticket_messages(id).await?;
    let names = Names::read(&mut org).await?;
    let context = ticket.content.context.clone();
    let context =
        context.map(serde_json::from_value).transpose().map_err(|error| Problem::internal(&error))?;
    Ok(WholeTicket {
        context,
        messages: messages.into_iter().map(|message| message_view(message, &names)).collect(),
        ticket: view(ticket, &names),
    })
}

/// Which tickets.
#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct Which {
    /// Everybody's, for administrators; else one's own.
    #[serde(default)]
    all: bool,
}

/// Tickets, newest first.
#[utoipa::path(get, path = "/api/v1/support/tickets", tag = "help", params(Which, PageQuery),
    responses((status = 200, body = Page<TicketView>), (status = 403)))]
pub(super) async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(Which { all }): Query<Which>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<TicketView>>, Problem> {
    if all {
        caller.require(&[Role::Admin])?;
    }
    let before = page.position()?.unwrap_or(TicketId::GREATEST);
    let mut org = app.store.read(caller.organization).await?;
    let list = org.tickets((!all).then_some(caller.staff), before, page.limit()).await?;
    let names = Names::read(&mut org).await?;
    let end = list.last().map(|ticket| ticket.id);
    let items = list.into_iter().map(|ticket| view(ticket, &names)).collect();
    Ok(Json(Page::cut(items, page.limit(), end)))
}

/// A ticket with what was said. It stays unread until `POST …/seen`.
#[utoipa::path(get, path = "/api/v1/support/tickets/{id}", tag = "help", params(("id" = TicketId, Path)),
    responses((status = 200, body = WholeTicket), (status = 404)))]
pub(super) async fn get(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<TicketId>,
) -> Result<Json<WholeTicket>, Problem> {
    whole(&app, &caller, id).await.map(Json)
}

/// What waits for this person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SupportSummary {
    /// Own tickets with an answer not seen yet.
    unread: i64,
    /// For administrators: everybody's that wait for an answer.
    open: Option<i64>,
    /// Whether tickets are mailed to the operator.
    mailed: bool,
}

/// What waits for this person, for the Help button.
#[utoipa::path(get, path = "/api/v1/support", tag = "help", responses((status = 200, body = SupportSummary)))]
pub(super) async fn summary(State(app): State<App>, caller: Caller) -> Result<Json<SupportSummary>, Problem> {
    let mut org = app.store.read(caller.organization).await?;
    let unread = org.unread_tickets(caller.staff).await?;
    let open = if caller.role == Role::Admin { Some(org.open_tickets().await?) } else { None };
    Ok(Json(SupportSummary { unread, open, mailed: app.mailer.get().is_some() }))
}
