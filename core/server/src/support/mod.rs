//! Mails of tickets: what somebody asked from the Help Center, to whoever runs Anteroom.
//!
//! The message's row is the queue. A node leases the mail that has been due longest, sends it outside any transaction
//! and records how that ended; what fails is tried again for a day. A node that is killed in between leaves the lease
//! to run out: the mail may then come twice, under the same `Message-ID`. A ticket is kept whatever becomes of its mail.

pub mod mailer;

use std::time::Duration;

use anteroom_store::{Actor, MailEnd, MailWork, NewEvent, StoreError};
use futures::FutureExt;
use metrics::counter;
use serde_json::json;

use self::mailer::{Letter, MailFault, Mailer};
use crate::app::App;

/// For one attempt, with the time-outs of its steps.
const LEASE: Duration = Duration::from_mins(3);
/// Looks for what is due.
const POLL: Duration = Duration::from_millis(250);
/// The first wait; each further one is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_mins(1);
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// About a day.
const MOST_ATTEMPTS: i32 = 30;

/// Mails until the app is told to stop; does nothing where no mail server is configured.
pub async fn run(app: App) {
    loop {
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        let Some(mailer) = app.mailer.get() else { continue };
        while !app.stop.is_cancelled() {
            match app.store.claim_support_mail(app.store.now().plus(LEASE)).await {
                Ok(Some(work)) => mail(&app, mailer, work).await,
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "mails that are due can't be looked for");
                    break;
                }
            }
        }
    }
}

async fn mail(app: &App, mailer: &Mailer, work: MailWork) {
    let (ticket, message) = (work.ticket, work.message);
    let end = match letter(app, &work).await {
        Ok(Some(letter)) => match mailer.send(&letter).await {
            Ok(()) => MailEnd::Mailed,
            Err(fault) => {
                tracing::warn!(%ticket, %message, problem = fault.word(), "a ticket could not be mailed");
                after(app, fault, work.attempts)
            }
        },
        Ok(None) => MailEnd::Failed { problem: "gone" },
        Err(error) => {
            tracing::error!(%ticket, %error, "a ticket could not be read to be mailed; it is tried again");
            return;
        }
    };
    let outcome = match &end {
        MailEnd::Mailed => "mailed",
        MailEnd::Later { problem, .. } | MailEnd::Failed { problem } => problem,
    };
    counter!("anteroom_support_mails_total", "outcome" => outcome).increment(1);
    if let Err(error) = record(app, work, end).await {
        tracing::error!(%ticket, %error, "the end of a mail could not be recorded; it may come twice");
    }
}

fn after(app: &App, fault: MailFault, attempts: i32) -> MailEnd {
    let problem = fault.word();
    if !fault.may_pass() || attempts >= MOST_ATTEMPTS {
        return MailEnd::Failed { problem };
    }
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(10);
    let wait = FIRST_WAIT.saturating_mul(2_u32.pow(doublings)).min(LONGEST_WAIT);
    MailEnd::Later { due_at: app.store.now().plus(wait), problem }
}

async fn letter(app: &App, work: &MailWork) -> Result<Option<Letter>, StoreError> {
    let clinic = app.directory.get(work.organization).await?.organization.name.clone();
    let mut org = app.store.read(work.organization).await?;
    let Some(ticket) = org.ticket(work.ticket).await? else { return Ok(None) };
    let messages = org.ticket_messages(work.ticket).await?;
    let Some(at) = messages.iter().position(|message| message.id == work.message) else { return Ok(None) };
    Ok(Some(Letter {
        organization: work.organization,
        ticket: work.ticket,
        message: work.message,
        clinic,
        subject: ticket.content.subject,
        body: messages[at].body.clone(),
        // With the first one only: it says how things were then.
        context: ticket.content.context.filter(|_| at == 0),
    }))
}

async fn record(app: &App, work: MailWork, end: MailEnd) -> Result<(), StoreError> {
    app.store
        .write(work.organization, move |mut org| {
            async move {
                if org.end_support_mail(&work, &end).await? {
                    let data = json!({ "ticket_id": work.ticket });
                    org.tell(NewEvent {
                        kind: "support.mail",
                        conversation_id: None,
                        actor: Actor::Host,
                        data,
                    });
                }
                Ok(())
            }
            .boxed()
        })
        .await
}
