//! Nothing missed: the carrier's list of recent messages is compared with what its webhooks have told.
//!
//! Each account whose carrier offers a list is looked at every `Every` by one node, page by page; where it has
//! come to is kept with each page, so that a restart goes on there. What is found goes the way that a webhook's
//! texts and receipts go, with the same dedupe: one that comes by both is taken once.

use std::time::Duration;

use anteroom_carriers::{FindError, InboundMessage, ListPage, Listed, Look};
use anteroom_model::time::Timestamp;
use anteroom_store::{ReceiptMatch, ReconcileEnd, ReconcileWork, StoreError};
use futures::FutureExt;
use metrics::counter;
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    ingress::{self, Hook, texts::Found},
    problem::Problem,
};

/// How far the first look goes back.
const BACK: Duration = Duration::from_hours(24);
/// How far each look goes back before the last one: carriers list some messages late.
const OVERLAP: Duration = Duration::from_hours(1);
/// A place that has been down for longer asks a person what became of its texts.
const LONGEST: Duration = Duration::from_hours(7 * 24);
/// Vonage lists no more at once. What is longer ago is looked at in steps of this, one right after the other.
const LONGEST_LOOK: Duration = Duration::from_hours(24);
/// What came just now may still be on its way by webhook.
const SETTLE: Duration = Duration::from_mins(2);
/// For one page, and storing what is new in it.
const LEASE: Duration = Duration::from_mins(3);
/// Looks for what is due.
const POLL: Duration = Duration::from_secs(1);
/// Pages of one look; the rest is for the next.
const MOST_PAGES: usize = 500;
/// A carrier that is asked too often, and doesn't say when again.
const SLOWER: Duration = Duration::from_mins(1);
/// Longest wait after looks that failed.
const LONGEST_WAIT: Duration = Duration::from_hours(6);

/// How often each account is looked at; `None`: never.
pub type Every = Option<Duration>;

/// Where a look is, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    since: i64,
    until: i64,
    next: Option<String>,
}

/// Works until the app is told to stop.
pub async fn run(app: App, every: Every) {
    let Some(every) = every else { return };
    if let Err(error) = app.store.release_reconciliations(app.node).await {
        tracing::warn!(%error, "looks that an earlier life of this node had leased are waited for");
    }
    let mut expected: Option<Timestamp> = None;
    loop {
        let now = app.store.now();
        if expected.is_none_or(|before| now.since(before) >= every) {
            expected = Some(now);
            if let Err(error) = expect(&app).await {
                tracing::error!(%error, "carrier accounts that can be looked at could not be noted");
            }
        }
        while !app.stop.is_cancelled() {
            match app.store.claim_reconciliation(app.node, app.store.now().plus(LEASE)).await {
                Ok(Some(work)) => look(&app, work, every).await,
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(%error, "looks that are due can't be looked for");
                    break;
                }
            }
        }
        tokio::select! {
            () = app.stop.cancelled() => return,
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Sees to it that each account whose carrier offers a list is looked at.
async fn expect(app: &App) -> Result<(), StoreError> {
    for organization in app.store.organizations().await? {
        let entry = app.directory.get(organization).await?;
        let listing =
            entry.accounts.values().filter(|account| account.credentials.carrier().lists_messages());
        let ids: Vec<_> = listing.map(|account| account.row.id).collect();
        if ids.is_empty() {
            continue;
        }
        let noted: Result<(), StoreError> = app
            .store
            .write(organization, move |mut org| {
                async move {
                    let now = org.now();
                    for id in ids {
                        org.expect_reconciliation(id, now).await?;
                    }
                    Ok(())
                }
                .boxed()
            })
            .await;
        noted?;
    }
    Ok(())
}

async fn look(app: &App, work: ReconcileWork, every: Duration) {
    let (organization, account, node) = (work.organization, work.account, app.node);
    let end = match pages(app, &work).await {
        Ok(Looked::Through { until }) => {
            let now = app.store.now();
            // The next step follows at once, until all of the past is looked at.
            let behind = now.since(until) > SETTLE + OVERLAP;
            ReconcileEnd {
                listed_until: Some(until),
                goes_on: false,
                due_at: if behind { now } else { now.plus(every) },
                outcome: "ok",
            }
        }
        Ok(Looked::Lost) => return,
        Ok(Looked::Gone) => ReconcileEnd {
            listed_until: None,
            goes_on: false,
            due_at: app.store.now().plus(LONGEST_WAIT),
            outcome: "account_gone",
        },
        Err(fault) => {
            let doublings = u32::try_from(work.failures).unwrap_or(0).min(8);
            let wait = every.saturating_mul(2_u32.pow(doublings)).min(LONGEST_WAIT);
            let wait = fault.asked_to_wait().unwrap_or(wait);
            tracing::warn!(%account, %organization, code = fault.code(), %fault, "a carrier's list was not compared");
            ReconcileEnd {
                listed_until: None,
                // From where it came to, unless that is what the carrier doesn't take.
                goes_on: fault.keeps_place(),
                due_at: app.store.now().plus(wait),
                outcome: fault.code(),
            }
        }
    };
    counter!("anteroom_reconcile_looks_total", "outcome" => end.outcome).increment(1);
    let ended: Result<bool, StoreError> = app
        .store
        .write(organization, move |mut org| {
            async move { org.finish_reconciliation(account, node, &end).await }.boxed()
        })
        .await;
    if let Err(error) = ended {
        tracing::error!(%account, %error, "the end of a look could not be recorded; it is done again");
    }
}

enum Looked {
    /// Everything up to then.
    Through { until: Timestamp },
    /// Another node has it.
    Lost,
    /// The account is no longer set up, or its carrier offers no list.
    Gone,
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Carrier(#[from] FindError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a text that was found was not taken ({})", .0.kind())]
    Refused(Problem),
}

impl Fault {
    const fn code(&self) -> &'static str {
        match self {
            Self::Carrier(FindError::Unreachable) => "unreachable",
            Self::Carrier(FindError::Refused { .. }) => "refused",
            Self::Carrier(FindError::Malformed) => "malformed",
            Self::Carrier(FindError::NotOffered) => "not_offered",
            Self::Carrier(FindError::TooLong) => "too_long",
            Self::Store(_) => "store",
            Self::Refused(_) => "not_taken",
        }
    }

    fn asked_to_wait(&self) -> Option<Duration> {
        match self {
            Self::Carrier(FindError::Refused { status: 429, retry_after }) => {
                Some(retry_after.unwrap_or(SLOWER).min(LONGEST_WAIT))
            }
            _ => None,
        }
    }

    const fn keeps_place(&self) -> bool {
        match self {
            Self::Carrier(FindError::Refused { status, .. }) => *status == 429 || *status >= 500,
            Self::Carrier(FindError::Malformed) => false,
            _ => true,
        }
    }
}

async fn pages(app: &App, work: &ReconcileWork) -> Result<Looked, Fault> {
    let entry = app.directory.get(work.organization).await?;
    let Some(account) = entry.accounts.get(&work.account) else { return Ok(Looked::Gone) };
    if !account.credentials.carrier().lists_messages() {
        return Ok(Looked::Gone);
    }
    let hook = Hook { organization: work.organization, account: account.clone(), query: None };
    let kept = work.page.as_deref().and_then(|page| serde_json::from_str(page).ok());
    let mut place = kept.unwrap_or_else(|| begin(app.store.now(), work.listed_until));
    for _ in 0..MOST_PAGES {
        if app.stop.is_cancelled() {
            break;
        }
        let (since, until) = (Timestamp::from_micros(place.since), Timestamp::from_micros(place.until));
        let look = Look { since, until, page: place.next.take() };
        let ListPage { items, next } = app.carriers.list_recent(&account.credentials, &look).await?;
        let found = compare(app, &hook, items).await?;
        if next.is_none() {
            keep(app, work, None, found).await?;
            return Ok(Looked::Through { until });
        }
        place.next = next;
        if !keep(app, work, Some(&place), found).await? {
            return Ok(Looked::Lost);
        }
    }
    // It goes on there when the lease is over.
    Ok(Looked::Lost)
}

fn begin(now: Timestamp, listed_until: Option<Timestamp>) -> Place {
    let until = now.minus(SETTLE);
    let since = match listed_until {
        None => now.minus(BACK),
        Some(before) => before.minus(OVERLAP).max(now.minus(LONGEST)),
    };
    let until = until.max(since).min(since.plus(LONGEST_LOOK));
    Place { since: since.micros(), until: until.micros(), next: None }
}

async fn keep(
    app: &App,
    work: &ReconcileWork,
    place: Option<&Place>,
    found: (i64, i64),
) -> Result<bool, StoreError> {
    let (account, node, until) = (work.account, app.node, app.store.now().plus(LEASE));
    let page = place.and_then(|place| serde_json::to_string(place).ok());
    app.store
        .write(work.organization, move |mut org| {
            async move { org.keep_reconciliation(account, node, page.as_deref(), until, found).await }.boxed()
        })
        .await
}

/// Takes in what is new of a page: texts, and texts of ours that are further than was known.
async fn compare(app: &App, hook: &Hook, items: Vec<Listed>) -> Result<(i64, i64), Fault> {
    let (mut texts, mut receipts) = (0_i64, 0_i64);
    for item in items {
        let taken = match item {
            Listed::Inbound(message) => take_in(app, hook, *message, Found::InList).await?,
            Listed::Wordless(message) => take_in(app, hook, *message, Found::InListWordless).await?,
            Listed::InboundId(id) => {
                if is_known(app, hook, &id).await? {
                    continue;
                }
                match app.carriers.read_listed(&hook.account.credentials, &id).await? {
                    Some(message) => take_in(app, hook, message, Found::InList).await?,
                    None => false,
                }
            }
            Listed::Outbound(receipt) => {
                if moves(app, hook, &receipt).await? {
                    ingress::receipts::apply(app, hook, vec![receipt]).await.map_err(Fault::Refused)?;
                    receipts += 1;
                }
                false
            }
        };
        texts += i64::from(taken);
    }
    counter!("anteroom_reconciled_total", "what" => "message").increment(texts.unsigned_abs());
    counter!("anteroom_reconciled_total", "what" => "receipt").increment(receipts.unsigned_abs());
    Ok((texts, receipts))
}

async fn is_known(app: &App, hook: &Hook, id: &str) -> Result<bool, StoreError> {
    let by = ReceiptMatch::Carriers(id.to_owned());
    let mut org = app.store.read(hook.organization).await?;
    Ok(org.message_of_receipt(hook.account.row.id, &by).await?.is_some())
}

/// Whether it is new.
async fn take_in(app: &App, hook: &Hook, message: InboundMessage, found: Found) -> Result<bool, Fault> {
    let entry = app.directory.get(hook.organization).await?;
    let number = entry.addresses.get(message.to.as_str()).and_then(|id| entry.numbers.get(id));
    // A list is of all numbers of an account, also of those that aren't used here.
    if number.is_none_or(|number| number.carrier_account_id != hook.account.row.id)
        || is_known(app, hook, &message.carrier_message_id).await?
    {
        return Ok(false);
    }
    let fresh = ingress::texts::store(app, hook, vec![message], found).await.map_err(Fault::Refused)?.fresh;
    if fresh > 0 {
        tracing::warn!(account = %hook.account.row.id, "a text was found that no webhook had told of");
    }
    Ok(fresh > 0)
}

async fn moves(app: &App, hook: &Hook, receipt: &anteroom_carriers::Receipt) -> Result<bool, StoreError> {
    let by = ReceiptMatch::Carriers(receipt.carrier_message_id.clone());
    let mut org = app.store.read(hook.organization).await?;
    let message = org.message_of_receipt(hook.account.row.id, &by).await?;
    Ok(message.is_some_and(|message| message.state.receipt_moves_to(receipt.state.message_state())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_overlap_and_leave_the_last_minutes_to_webhooks() {
        let hours = |hours: u64| Timestamp::from_micros(0).plus(Duration::from_hours(hours));
        let first = begin(hours(1_000), None);
        assert_eq!(first.since, hours(976).micros());
        assert_eq!(first.until, hours(1_000).minus(SETTLE).micros());
        assert_eq!(begin(hours(1_000), Some(hours(999))).since, hours(998).micros());
        assert_eq!(begin(hours(1_000), Some(hours(10))).since, hours(1_000 - 7 * 24).micros());
    }

    #[test]
    fn a_long_time_without_looks_is_looked_at_in_steps() {
        let hours = |hours: u64| Timestamp::from_micros(0).plus(Duration::from_hours(hours));
        let (now, mut listed) = (hours(1_000), hours(900));
        let mut looks = 0;
        while now.since(listed) > SETTLE {
            let Place { since, until, .. } = begin(now, Some(listed));
            let (since, until) = (Timestamp::from_micros(since), Timestamp::from_micros(until));
            assert!(until.since(since) <= LONGEST_LOOK && since == listed.minus(OVERLAP) && until > listed);
            listed = until;
            looks += 1;
        }
        assert_eq!(looks, 5, "100 hours in steps of 23");
    }
}
