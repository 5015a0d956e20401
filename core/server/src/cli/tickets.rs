//! Tickets of the Help Center, for whoever runs Anteroom.

use anteroom_model::{
    ids::{OrganizationId, TicketId},
    states::TicketState,
};
use anteroom_store::{Actor, NewEvent, Org, StoreError, Ticket};
use clap::{Args, Subcommand};
use futures::FutureExt;
use serde_json::json;

use crate::cli::{Failure, PlaceArgs, admin::standard_input, place::Opener};

/// A list is as long as that.
const MOST: u32 = 200;

/// What can be done with tickets.
#[derive(Debug, Subcommand)]
pub(super) enum Tickets {
    /// Print the newest 200: id, state, when, who, subject. With --ticket, what was said in one.
    List {
        #[command(flatten)]
        place: PlaceArgs,
        /// Whose.
        #[arg(long)]
        organization: OrganizationId,
        /// Only this one, whole.
        #[arg(long)]
        ticket: Option<TicketId>,
    },
    /// Answer one; the answer is read from standard input.
    Answer(One),
    /// Close one.
    Close(One),
}

/// Which ticket.
#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    place: PlaceArgs,
    /// Whose.
    #[arg(long)]
    organization: OrganizationId,
    /// Which.
    #[arg(long)]
    ticket: TicketId,
}

/// Runs the command and gives what it prints.
pub(super) async fn run(command: Tickets) -> Result<String, Failure> {
    match command {
        Tickets::List { place, organization, ticket } => {
            let opened = place.place().open(Opener::Reader).await?;
            let mut org = opened.store.read(organization).await?;
            match ticket {
                Some(id) => Ok(whole(&mut org, id).await?),
                None => Ok(list(&mut org).await?),
            }
        }
        Tickets::Answer(One { place, organization, ticket }) => {
            let body = standard_input()?;
            crate::hub::check_ticket_body(&body).map_err(|_| "an answer has 1 to 5,000 characters")?;
            let opened = place.place().open(Opener::Command).await?;
            opened
                .store
                .write(organization, move |mut org| {
                    async move { answer(&mut org, ticket, &body).await }.boxed()
                })
                .await?;
            Ok(format!("answered {ticket}"))
        }
        Tickets::Close(One { place, organization, ticket }) => {
            let opened = place.place().open(Opener::Command).await?;
            opened
                .store
                .write(organization, move |mut org| async move { close(&mut org, ticket).await }.boxed())
                .await?;
            Ok(format!("closed {ticket}"))
        }
    }
}

async fn list(org: &mut Org<'_>) -> Result<String, Failure> {
    let staff = org.staff().await?;
    let tickets = org.tickets(None, TicketId::GREATEST, MOST).await?;
    let line = |ticket: &Ticket| {
        let author = staff.iter().find(|one| one.id == ticket.author_id);
        let name = author.map_or("somebody", |one| &one.name);
        format!(
            "{}  {:8}  {}  {name}: {}",
            ticket.id,
            ticket.state.as_str(),
            ticket.updated_at,
            ticket.content.subject
        )
    };
    Ok(tickets.iter().map(line).collect::<Vec<_>>().join("\n"))
}

async fn whole(org: &mut Org<'_>, id: TicketId) -> Result<String, Failure> {
    let ticket = known(org, id).await?;
    let mut parts = vec![format!("{} ({})", ticket.content.subject, ticket.state)];
    if let Some(context) = &ticket.content.context {
        parts.push(serde_json::to_string_pretty(context)?);
    }
    let staff = org.staff().await?;
    for message in org.ticket_messages(id).await? {
        let author = message.author_id.and_then(|id| staff.iter().find(|one| one.id == id));
        let name = author.map_or("operator", |one| &one.name);
        parts.push(format!("{name}, {}:\n{}", message.created_at, message.body));
    }
    Ok(parts.join("\n\n"))
}

async fn answer(org: &mut Org<'_>, id: TicketId, body: &str) -> Result<(), Failure> {
    known(org, id).await?;
    let message = org.new_id();
    org.insert_ticket_message(id, message, None, body, false).await?;
    org.ticket_answered(id).await?;
    told(org, "support.answered", id).await?;
    Ok(())
}

async fn close(org: &mut Org<'_>, id: TicketId) -> Result<(), Failure> {
    known(org, id).await?;
    if org.set_ticket_state(id, TicketState::Closed).await? {
        told(org, "support.closed", id).await?;
    }
    Ok(())
}

async fn known(org: &mut Org<'_>, id: TicketId) -> Result<Ticket, Failure> {
    Ok(org.ticket(id).await?.ok_or("the organization has no such ticket")?)
}

async fn told(org: &mut Org<'_>, kind: &'static str, id: TicketId) -> Result<(), StoreError> {
    let data = json!({ "ticket_id": id });
    org.tell(NewEvent { kind, conversation_id: None, actor: Actor::Host, data });
    org.insert_host_audit(kind, id.0).await
}
