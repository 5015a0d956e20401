//! Twilio's error codes in staff's words. <https://www.twilio.com/docs/api/errors>.

use crate::{
    Failure,
    FailureKind::{Account, Landline, OptedOut, Other, Spam, Unreachable, Unregistered},
    codes::{CodeTable, Row, words},
};

/// The failure that `code` stands for.
pub fn explain(code: u32) -> Failure {
    TABLE.explain(&code.to_string())
}

pub(crate) const TABLE: CodeTable = CodeTable { carrier: "Twilio", rows: ROWS };

const ROWS: &[Row] = &[
    (&["21610"], OptedOut, words::OPTED_OUT),
    (&["21211"], Unreachable, words::NO_NUMBER),
    (
        &["21612", "21408"],
        Unreachable,
        "Twilio can't deliver from this number to the patient's number or country.",
    ),
    (&["30003"], Unreachable, words::OUT_OF_REACH),
    (&["30004"], Unreachable, "The patient's phone or carrier blocks messages from this number."),
    (&["30005"], Unreachable, "The patient's number is unknown or no longer in service."),
    (&["30008"], Unreachable, "The patient's carrier did not deliver the message and gave no reason."),
    (&["30036"], Unreachable, words::TOO_LATE),
    (&["21614", "21635"], Landline, words::LANDLINE),
    (&["30006"], Landline, "The patient's number is a landline, or its carrier can't be reached."),
    (&["30007"], Spam, words::FILTERED),
    (&["30038"], Spam, "The message was filtered because it looks like a one-time passcode."),
    (&["30453", "30450"], Spam, "Twilio blocked the message to protect against fraud."),
    (&["30022", "30023", "30027"], Spam, "The clinic's number has sent as much as carriers allow for today."),
    (&["30032"], Unregistered, words::UNVERIFIED),
    (&["30034"], Unregistered, words::UNREGISTERED),
    (&["30024"], Unregistered, "The clinic's number is not yet set up with the patient's carrier."),
    (
        &["20003"],
        Account,
        "Twilio refused the account's credentials. An administrator must check the carrier account.",
    ),
    (
        &["20005", "10001", "30002"],
        Account,
        "The Twilio account is not active. An administrator must check the carrier account.",
    ),
    (
        &["20404"],
        Account,
        "Twilio does not know the account. An administrator must check the carrier account.",
    ),
    (
        &["21606", "21659", "21660", "21661", "21212"],
        Account,
        "The clinic's number can't send texts through this Twilio account.",
    ),
    (&["21703", "21704"], Account, "The Messaging Service has no number to send from."),
    (&["21608"], Account, "A Twilio trial account can only text numbers that were verified there."),
    (&["21602"], Other, "The message is empty."),
    (&["21617", "21605"], Other, "The message is too long: Twilio takes at most 1,600 characters."),
    (
        &["21609"],
        Other,
        "The address for delivery reports is not valid. An administrator must check the public URL.",
    ),
    (
        &["21265", "21266"],
        Other,
        "A text can't be sent to this number: it is a short code or the clinic's own.",
    ),
    (&["30001"], Other, "Twilio's queue for the clinic's number is full. Try again later."),
    (
        &["30039"],
        Other,
        "Twilio stopped the message because it looks like two machines answering each other.",
    ),
];

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::{FailureKind, ReceiptState};

    #[test]
    fn codes_that_change_what_happens_next() {
        for (code, kind) in [
            (21610, FailureKind::OptedOut),
            (30032, FailureKind::Unregistered),
            (30034, FailureKind::Unregistered),
            (30007, FailureKind::Spam),
            (30003, FailureKind::Unreachable),
            (30005, FailureKind::Unreachable),
            (21211, FailureKind::Unreachable),
            (30006, FailureKind::Landline),
            (21614, FailureKind::Landline),
            (20003, FailureKind::Account),
        ] {
            let failure = explain(code);
            assert_eq!((failure.kind, failure.code), (kind, code.to_string()));
            assert!(matches!(failure.text, Cow::Borrowed(_)), "{code} has a text of its own");
        }
    }

    #[test]
    fn an_unknown_code_is_still_named() {
        assert_eq!(explain(39_999).kind, FailureKind::Other);
        assert!(explain(39_999).text.contains("39999"));
    }

    #[test]
    fn only_what_failed_has_a_failure() {
        crate::codes::check(&TABLE);
        assert_eq!(TABLE.failure(ReceiptState::Delivered, Some("30003")), None);
        assert_eq!(TABLE.failure(ReceiptState::Failed, Some("0")).unwrap().code, "undelivered");
        assert_eq!(TABLE.failure(ReceiptState::Failed, Some("30003")).unwrap().code, "30003");
    }
}
