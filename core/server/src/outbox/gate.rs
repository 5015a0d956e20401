//! What may be sent at all: asked before any HTTP call, failing closed.

use anteroom_model::states::{MessageState, NumberKind, Registration};
use anteroom_store::{Number, OutboundWork, SendEnd, StoreError};

use crate::{
    app::App,
    directory::{Account, Entry},
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
        let text = "This patient has opted out of texts. They can text START to get them again.";
        return Ok(blocked("opted_out", text));
    }
    if let Some(text) = registration_refusal(number.kind, number.registration) {
        return Ok(blocked("not_registered", text));
    }
    Ok(Verdict::Open { number: Box::new(number.clone()), account: Box::new(account.clone()) })
}

/// Why a number of this kind may not send, in staff's words. Whatever isn't known to be approved is refused.
pub(crate) fn registration_refusal(kind: NumberKind, registration: Registration) -> Option<&'static str> {
    match (kind, registration) {
        (NumberKind::Sandbox, _) | (_, Registration::Approved) => None,
        (_, Registration::Rejected) => Some(
            "The carriers refuse texts from this number. An administrator must correct its registration before \
             you can reply.",
        ),
        (NumberKind::TollFree, Registration::Pending | Registration::Unknown) => Some(
            "This toll-free number isn't verified for texting yet. Finish the toll-free verification to reply.",
        ),
        (NumberKind::TenDlc, Registration::Pending | Registration::Unknown) => {
            Some("This number isn't registered for texting yet. Finish the campaign registration to reply.")
        }
        (NumberKind::ShortCode, Registration::Pending | Registration::Unknown) => {
            Some("This short code isn't active yet. Finish its registration to reply.")
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_approved_may_send() {
        for kind in NumberKind::ALL {
            for registration in Registration::ALL {
                let open = registration_refusal(*kind, *registration).is_none();
                let expected = *kind == NumberKind::Sandbox || *registration == Registration::Approved;
                assert_eq!(open, expected, "{kind} {registration}");
            }
        }
    }
}
