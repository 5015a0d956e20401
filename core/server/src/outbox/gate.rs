//! What may be sent at all: asked before any HTTP call, failing closed.

use anteroom_carriers::Credentials;
use anteroom_model::states::MessageState;
use anteroom_store::{Number, OutboundWork, SendEnd, StoreError};

use crate::{
    app::App,
    directory::{Account, Entry},
    opt_outs,
};

/// What the gate says.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Go on.
    Open {
        /// From which number.
        number: Box<Number>,
        /// Through which account.
        account: Box<Account>,
    },
    /// To be sent by the link that another node holds.
    Elsewhere,
    /// Not to be sent.
    Blocked(SendEnd),
}

pub(super) async fn check(app: &App, entry: &Entry, work: &OutboundWork) -> Result<Verdict, StoreError> {
    let number = entry.numbers.get(&work.number_id);
    let account = entry.accounts.get(&work.carrier_account_id);
    let (Some(number), Some(account)) = (number, account) else {
        return Ok(blocked("number_gone", "The number this was to be sent from is no longer set up here."));
    };
    let opted_out = app.store.read(work.organization).await?.is_opted_out(&work.peer, number.id).await?;
    if opted_out && !work.despite_opt_out {
        return Ok(blocked("opted_out", opt_outs::OPTED_OUT));
    }
    let known = entry.registrations.get(&number.id);
    if let Some(text) = app.registration.refusal(number, known, app.store.now()) {
        return Ok(blocked("not_registered", &text));
    }
    if is_elsewhere(app, account, work).await? {
        return Ok(Verdict::Elsewhere);
    }
    Ok(Verdict::Open { number: Box::new(number.clone()), account: Box::new(account.clone()) })
}

/// Whether the account's link is another node's, which is alive.
async fn is_elsewhere(app: &App, account: &Account, work: &OutboundWork) -> Result<bool, StoreError> {
    let Credentials::Smpp(credentials) = &account.credentials else { return Ok(false) };
    if app.carriers.links().is_bound(credentials) {
        return Ok(false);
    }
    let link = app.store.read(work.organization).await?.link(account.row.id).await?;
    Ok(link.is_some_and(|link| link.node != app.node && link.lease_until > app.store.now()))
}

fn blocked(code: &str, text: &str) -> Verdict {
    Verdict::Blocked(SendEnd {
        state: MessageState::Blocked,
        carrier_message_id: None,
        error_code: Some(code.to_owned()),
        error_text: Some(text.to_owned()),
        due_at: None,
    })
}
