//! Questions from the Help Center, and their mails.

use std::time::Duration;

use anteroom_model::{
    ids::{TicketId, TicketMessageId},
    states::{MailState, TicketState},
};
use anteroom_store::{MailEnd, TicketContent};
use serde_json::json;

use crate::harness::{Clinic, Fresh, commit};

const LEASE: Duration = Duration::from_mins(3);
/// Long and odd enough not to come up by chance.
const SECRETS: [&str; 3] = ["subject: Xochimilco", "body: Huitzilopochtli", "place/Tezcatlipoca"];

async fn ask(db: &Fresh, clinic: Clinic) -> (TicketId, TicketMessageId) {
    commit!(db, clinic.organization, |org| {
        let (ticket, message) = (org.new_id(), org.new_id());
        let content =
            TicketContent { subject: SECRETS[0].into(), context: Some(json!({ "place": SECRETS[2] })) };
        org.insert_ticket(ticket, clinic.staff, &content).await?;
        org.insert_ticket_message(ticket, message, Some(clinic.staff), SECRETS[1], true).await?;
        Ok((ticket, message))
    })
    .unwrap()
}

pub(crate) async fn a_question_is_sealed_and_nobody_elses(db: &Fresh) {
    let (ours, theirs) = (Clinic::new(db, "A").await, Clinic::new(db, "B").await);
    let (id, _) = ask(db, ours).await;
    let mut org = db.read(ours.organization).await.unwrap();
    let ticket = org.ticket(id).await.unwrap().unwrap();
    assert_eq!((ticket.content.subject.as_str(), ticket.state), (SECRETS[0], TicketState::Open));
    assert_eq!(ticket.content.context.unwrap()["place"], SECRETS[2]);
    assert_eq!(org.ticket_messages(id).await.unwrap()[0].body, SECRETS[1]);
    drop(org);

    let mut org = db.read(theirs.organization).await.unwrap();
    assert!(org.ticket(id).await.unwrap().is_none());
    assert!(org.ticket_messages(id).await.unwrap().is_empty());
    assert!(org.tickets(None, TicketId::GREATEST, 9).await.unwrap().is_empty());
    assert_eq!(org.open_tickets().await.unwrap(), 0);
    drop(org);
    let closed = commit!(db, theirs.organization, |org| org.set_ticket_state(id, TicketState::Closed).await);
    assert!(!closed.unwrap());

    let disk = db.bytes_on_disk();
    let holds = |needle: &str| disk.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(holds("America/Chicago"), "this search finds nothing at all");
    for secret in SECRETS {
        assert!(!holds(secret), "{secret:?} is on disk in the clear");
    }
}

pub(crate) async fn a_mail_is_leased_once_and_a_lost_lease_ends_nothing(db: &Fresh) {
    let clinic = Clinic::new(db, "A").await;
    let (_, message) = ask(db, clinic).await;
    let until = db.now().plus(LEASE);
    let work = db.claim_support_mail(until).await.unwrap().expect("it is due");
    assert_eq!((work.message, work.attempts), (message, 1));
    assert!(db.claim_support_mail(until).await.unwrap().is_none(), "another has it");

    // Whoever had it was killed: another takes it up, and what the first may still say counts nothing.
    db.clock.advance(LEASE);
    let again = db.claim_support_mail(db.now().plus(LEASE)).await.unwrap().expect("the lease is over");
    assert_eq!(again.attempts, 2);
    let late = work.clone();
    let end = MailEnd::Failed { problem: "refused" };
    assert!(!commit!(db, clinic.organization, |org| org.end_support_mail(&late, &end).await).unwrap());
    let due_at = db.now().plus(Duration::from_mins(1));
    let later = MailEnd::Later { due_at, problem: "busy" };
    let ended = again.clone();
    assert!(commit!(db, clinic.organization, |org| org.end_support_mail(&ended, &later).await).unwrap());
    assert!(!db.support_mail_is_due().await.unwrap());

    db.clock.advance(Duration::from_mins(1));
    let third = db.claim_support_mail(db.now().plus(LEASE)).await.unwrap().expect("its wait is over");
    let ticket = third.ticket;
    assert!(
        commit!(db, clinic.organization, |org| org.end_support_mail(&third, &MailEnd::Mailed).await).unwrap()
    );
    db.clock.advance(LEASE);
    assert!(db.claim_support_mail(db.now().plus(LEASE)).await.unwrap().is_none());
    let messages = db.read(clinic.organization).await.unwrap().ticket_messages(ticket).await.unwrap();
    assert_eq!((messages[0].mail, &messages[0].mail_problem), (MailState::Mailed, &None));
    assert!(!commit!(db, clinic.organization, |org| org.mail_ticket_again(ticket).await).unwrap());
}
