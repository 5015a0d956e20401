//! One attempt to send, and what its end means.

use std::time::Duration;

use anteroom_carriers::{
    Address, CarrierKind, Endpoint, Failure, FoundMessage, NextStep, OutboundText, ReceiptState, SendError,
    SentQuery,
};
use anteroom_model::states::MessageState;
use anteroom_store::{Number, Organization, OutboundWork, ReceiptMatch, SendEnd, StoreError};

use crate::{app::App, directory::Account, ingress::receipts::OUR_ID, outbox::files};

/// First wait before another try; doubled each time up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// A text older than this is not sent any more: it would arrive out of the blue.
const TOO_OLD: Duration = Duration::from_hours(24);
/// How long a carrier is given to show a text that it may have taken.
const SETTLE: Duration = Duration::from_secs(5);
/// The client's time-out, and how far the nodes' clocks may be apart.
const LONGEST_SEND: Duration = Duration::from_secs(13);
/// How often the carrier's list is asked before staff have to decide.
const CHECKS: i32 = 6;
/// How soon a text is offered to the other nodes again.
const ELSEWHERE: Duration = Duration::from_millis(100);
/// How far the carrier's clock may be behind ours when its list is searched.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// Stands in `error_code` of a message in doubt that must not be sent again unasked.
const AMBIGUOUS: &str = "ambiguous";

/// How an attempt ended, and what the carrier said where it refused.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) end: SendEnd,
    pub(super) failure: Option<Failure>,
}

impl Outcome {
    fn of(state: MessageState) -> Self {
        let end =
            SendEnd { state, carrier_message_id: None, error_code: None, error_text: None, due_at: None };
        Self { end, failure: None }
    }
}

pub(super) async fn send(
    app: &App,
    organization: &Organization,
    number: &Number,
    account: &Account,
    work: &OutboundWork,
) -> Result<Outcome, StoreError> {
    let (Ok(to), Ok(from)) = (Address::parse(&work.peer), Address::parse(&number.address)) else {
        return Ok(refused("address", "The number can't be texted: it is not a phone number."));
    };
    if let Some(known) = look_up(app, number, account, work).await? {
        return Ok(known);
    }
    if app.store.now().since(work.created_at) > TOO_OLD {
        let text =
            "This text could not be sent within a day and was given up. Send it again if it still matters.";
        return Ok(refused("too_old", text));
    }
    if app.store.now().plus(LONGEST_SEND) > work.until {
        // Once the lease ends another node may take it up, and must find no send under way.
        let mut outcome = Outcome::of(MessageState::Queued);
        outcome.end.due_at = Some(app.store.now());
        return Ok(outcome);
    }
    let status_url = Endpoint::Status.url(&account.row.public_url);
    let joined = if status_url.contains('?') { '&' } else { '?' };
    let text = OutboundText {
        our_id: work.id,
        to,
        from,
        body: work.body.clone(),
        status_callback: format!("{status_url}{joined}{OUR_ID}={}", work.id),
        media_urls: files::links(app, work, &account.row.public_url).await?,
        messaging_service: number.messaging_service.clone(),
        at: app.store.now(),
    };
    tracing::debug!(message = %work.id, attempt = work.attempt, organization = %organization.id, "sending");
    let answer = app.carriers.send(&account.credentials, &text).await;
    Ok(match answer {
        Ok(sent) => {
            let mut outcome = taken(sent.state, sent.failure);
            // The sandbox's phones are on this machine: taken is delivered.
            if account.credentials.carrier() == CarrierKind::Sandbox {
                outcome.end.state = MessageState::Delivered;
            }
            outcome.end.carrier_message_id = Some(sent.carrier_message_id);
            outcome
        }
        Err(error) => not_sent(app, work, &error),
    })
}

/// For the node that holds the link: it looks as often as this one does.
pub(super) fn elsewhere(app: &App, work: &OutboundWork) -> Outcome {
    // What is in doubt stays so.
    let mut outcome = Outcome::of(if work.in_doubt { MessageState::Sending } else { MessageState::Queued });
    outcome.end.error_code.clone_from(&work.error_code);
    outcome.end.due_at = Some(app.store.now().plus(ELSEWHERE));
    outcome
}

fn taken(state: ReceiptState, failure: Option<Failure>) -> Outcome {
    let mut outcome = Outcome::of(state.message_state());
    if let Some(failure) = &failure {
        outcome.end.error_code = Some(failure.code.clone());
        outcome.end.error_text = Some(failure.text.to_string());
    }
    outcome.failure = failure;
    outcome
}

fn not_sent(app: &App, work: &OutboundWork, error: &SendError) -> Outcome {
    let now = app.store.now();
    let backoff = wait(app, work.attempt);
    match error.next_step() {
        NextStep::GiveUp => match error {
            SendError::Rejected(failure) => taken(ReceiptState::Failed, Some(failure.clone())),
            _ => refused(error.code(), "The carrier did not take this text."),
        },
        NextStep::Retry(asked) => {
            let mut outcome = Outcome::of(MessageState::Queued);
            outcome.end.due_at = Some(now.plus(asked.unwrap_or_default().max(backoff)));
            outcome
        }
        NextStep::CheckThenRetry(asked) => {
            let mut outcome = Outcome::of(MessageState::Sending);
            outcome.end.due_at = Some(now.plus(asked.unwrap_or_default().max(backoff)));
            outcome
        }
        NextStep::CheckOnly => doubtful(now.plus(SETTLE)),
    }
}

fn doubtful(due: anteroom_model::time::Timestamp) -> Outcome {
    let mut outcome = Outcome::of(MessageState::Sending);
    outcome.end.error_code = Some(AMBIGUOUS.to_owned());
    outcome.end.due_at = Some(due);
    outcome
}

fn refused(code: &str, text: &str) -> Outcome {
    let mut outcome = Outcome::of(MessageState::Failed);
    outcome.end.error_code = Some(code.to_owned());
    outcome.end.error_text = Some(text.to_owned());
    outcome
}

/// Doubling, with up to a quarter of jitter so that many don't come back at once.
fn wait(app: &App, attempt: i32) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(16);
    let base = FIRST_WAIT.saturating_mul(2_u32.pow(doublings)).min(LONGEST_WAIT);
    let jitter = u64::try_from(base.as_millis() / 4).unwrap_or(0).max(1);
    base + Duration::from_millis(app.store.ids().number() % jitter)
}

/// What became of a text in doubt; `None`: it is in no doubt, or the carrier doesn't have it.
pub(super) async fn look_up(
    app: &App,
    number: &Number,
    account: &Account,
    work: &OutboundWork,
) -> Result<Option<Outcome>, StoreError> {
    // Where the carrier dedupes by our id, sending again is the same text.
    if !work.in_doubt || account.credentials.carrier().dedupes_by_our_id() {
        return Ok(None);
    }
    let (Ok(to), Ok(from)) = (Address::parse(&work.peer), Address::parse(&number.address)) else {
        return Ok(None);
    };
    Ok(match settle(app, account, work, &to, &from).await? {
        Settled::Known(outcome) => Some(outcome),
        Settled::NotSent => None,
    })
}

/// What became of an attempt whose end nobody saw.
enum Settled {
    /// The carrier has it, or nobody can tell (yet).
    Known(Outcome),
    /// The carrier doesn't have it: it may be sent again.
    NotSent,
}

/// Asks the carrier's list. A text found there and not known as another one's is this one.
async fn settle(
    app: &App,
    account: &Account,
    work: &OutboundWork,
    to: &Address,
    from: &Address,
) -> Result<Settled, StoreError> {
    let query = SentQuery {
        our_id: work.id,
        to: to.clone(),
        from: from.clone(),
        body: work.body.clone(),
        since: work.created_at.minus(CLOCK_SKEW),
    };
    let must_not_resend = work.error_code.as_deref() == Some(AMBIGUOUS);
    let found = app.carriers.find_sent(&account.credentials, &query).await;
    let now = app.store.now();
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(message = %work.id, %error, "a text in doubt could not be looked up");
            if work.attempt > CHECKS {
                return Ok(Settled::Known(unknown()));
            }
            let later = now.plus(wait(app, work.attempt));
            let mut outcome = doubtful(later);
            outcome.end.error_code.clone_from(&work.error_code);
            return Ok(Settled::Known(outcome));
        }
    };
    if let Some(message) = not_ours_yet(app, account, work, found).await? {
        let mut outcome = taken(message.state, message.failure);
        outcome.end.carrier_message_id = Some(message.carrier_message_id);
        return Ok(Settled::Known(outcome));
    }
    if must_not_resend { Ok(Settled::Known(unknown())) } else { Ok(Settled::NotSent) }
}

/// The first of `found` that no other message of ours is known as.
async fn not_ours_yet(
    app: &App,
    account: &Account,
    work: &OutboundWork,
    found: Vec<FoundMessage>,
) -> Result<Option<FoundMessage>, StoreError> {
    let mut org = app.store.read(work.organization).await?;
    for message in found {
        let by = ReceiptMatch::Carriers(message.carrier_message_id.clone());
        let known = org.message_of_receipt(account.row.id, &by).await?;
        if known.is_none_or(|known| known.id == work.id) {
            return Ok(Some(message));
        }
    }
    Ok(None)
}

fn unknown() -> Outcome {
    let mut outcome = Outcome::of(MessageState::Unknown);
    outcome.end.error_code = Some("unknown".to_owned());
    outcome.end.error_text = Some(
        "The carrier didn't answer, and nobody can tell whether this text went out. Ask the patient, or send it \
         again."
            .to_owned(),
    );
    outcome
}
