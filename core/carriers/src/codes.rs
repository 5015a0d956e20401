//! Tables of carriers' error codes in staff's words.
//!
//! A carrier's own error texts are never passed on: they repeat phone numbers.

use std::borrow::Cow;

use http::StatusCode;

use crate::{CarrierKind, Failure, FailureKind, ReceiptState};

/// What staff read, where carriers' codes come down to the same.
pub(crate) mod words {
    pub(crate) const FILTERED: &str =
        "The patient's carrier filtered the message as spam or unwanted content.";
    pub(crate) const OUT_OF_REACH: &str =
        "The patient's phone can't be reached: it may be switched off or out of coverage.";
    pub(crate) const LANDLINE: &str = "The patient's number can't receive texts; it may be a landline.";
    pub(crate) const OPTED_OUT: &str =
        "The patient has texted STOP to this number. They must text START before they can be texted again.";
    pub(crate) const TOO_LATE: &str = "The message could not be delivered in time.";
    pub(crate) const NO_NUMBER: &str = "The patient's number is not a valid phone number.";
    pub(crate) const UNREGISTERED: &str = "The clinic's number is not registered for business texting (A2P 10DLC), so carriers block its texts.";
    pub(crate) const UNVERIFIED: &str =
        "The clinic's toll-free number is not verified yet, so carriers block its texts.";
    pub(crate) const NOT_DELIVERED: &str = "The patient's carrier did not deliver the message.";
}

/// Codes that mean the same, what they come down to, and how staff read it.
pub(crate) type Row = (&'static [&'static str], FailureKind, &'static str);

/// A carrier's codes.
pub(crate) struct CodeTable {
    /// As staff know the carrier: `Telnyx`.
    pub(crate) carrier: &'static str,
    pub(crate) rows: &'static [Row],
}

impl CodeTable {
    fn knows(&self, code: &str) -> bool {
        self.rows.iter().any(|(codes, ..)| codes.contains(&code))
    }

    /// The failure that `code` stands for.
    pub(crate) fn explain(&self, code: &str) -> Failure {
        let code = printable(code);
        let row = self.rows.iter().find(|(codes, ..)| codes.contains(&code));
        match row {
            Some((_, kind, text)) => {
                Failure { code: code.to_owned(), kind: *kind, text: Cow::Borrowed(*text) }
            }
            None => Failure {
                code: code.to_owned(),
                kind: FailureKind::Other,
                text: format!("{} could not deliver the message (error {code}).", self.carrier).into(),
            },
        }
    }

    /// Why a text that is in `state` failed. `None` while it hasn't.
    pub(crate) fn failure(&self, state: ReceiptState, code: Option<&str>) -> Option<Failure> {
        match (state, code.filter(|code| !matches!(*code, "" | "0"))) {
            (ReceiptState::Failed, Some(code)) => Some(self.explain(code)),
            (ReceiptState::Failed, None) => Some(Failure {
                code: "undelivered".into(),
                kind: FailureKind::Other,
                text: format!("{} could not deliver the message and gave no reason.", self.carrier).into(),
            }),
            _ => None,
        }
    }

    /// A refusal that gave no code.
    pub(crate) fn http(&self, status: StatusCode) -> Failure {
        let account =
            matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND);
        Failure {
            code: format!("http_{}", status.as_u16()),
            kind: if account { FailureKind::Account } else { FailureKind::Other },
            text: format!("{} refused the message (HTTP {}).", self.carrier, status.as_u16()).into(),
        }
    }

    /// A refusal with its code, or without.
    pub(crate) fn refusal(&self, status: StatusCode, code: Option<&str>) -> Failure {
        code.filter(|code| !code.is_empty()).map_or_else(|| self.http(status), |code| self.explain(code))
    }
}

/// What `code`, which `carrier` gave for a text, comes down to and how staff read it.
pub fn explain(carrier: CarrierKind, code: &str) -> Failure {
    let table = match carrier {
        CarrierKind::Twilio => &crate::twilio::codes::TABLE,
        CarrierKind::SignalWire => &crate::signalwire::CODES,
        CarrierKind::Telnyx => &crate::telnyx::CODES,
        CarrierKind::Bandwidth => &crate::bandwidth::CODES,
        CarrierKind::Plivo => &crate::plivo::CODES,
        // Either of its interfaces; their codes differ.
        CarrierKind::Vonage => {
            let other = &crate::vonage::SMS_CODES;
            if other.knows(code) { other } else { &crate::vonage::MESSAGES_CODES }
        }
        CarrierKind::Sinch => &crate::sinch::CODES,
        CarrierKind::Infobip => &crate::infobip::CODES,
        CarrierKind::Aws => &crate::aws::codes::CODES,
        CarrierKind::Smpp => &crate::smpp::CODES,
        CarrierKind::Sandbox => &CodeTable { carrier: "The sandbox", rows: &[] },
    };
    table.explain(code)
}

/// A code is short and of few characters; what isn't could hold anything, even a phone number.
fn printable(code: &str) -> &str {
    let well_formed = (1..=64).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':'))
        && code.bytes().filter(u8::is_ascii_digit).count() < 10;
    if well_formed { code } else { "unreadable" }
}

/// What every table must keep to.
#[cfg(test)]
pub(crate) fn check(table: &CodeTable) {
    let mut seen = std::collections::BTreeSet::new();
    for (codes, _, text) in table.rows {
        assert!(text.ends_with('.'), "{text}");
        for code in *codes {
            assert!(seen.insert(*code), "{code} is there twice");
            assert_eq!(table.explain(code).code, *code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: CodeTable = CodeTable {
        carrier: "Acme",
        rows: &[(&["1", "2"], FailureKind::OptedOut, "The patient has opted out.")],
    };

    #[test]
    fn known_unknown_and_missing_codes() {
        check(&TABLE);
        assert_eq!(TABLE.explain("2").kind, FailureKind::OptedOut);
        assert!(TABLE.explain("3").text.contains("Acme") && TABLE.explain("3").text.contains('3'));
        assert_eq!(TABLE.failure(ReceiptState::Failed, Some("0")).unwrap().code, "undelivered");
        assert_eq!(TABLE.failure(ReceiptState::Delivered, Some("1")), None);
        assert_eq!(TABLE.refusal(StatusCode::FORBIDDEN, None).kind, FailureKind::Account);
        assert_eq!(TABLE.refusal(StatusCode::BAD_REQUEST, Some("1")).code, "1");
    }

    #[test]
    fn a_code_is_no_place_for_a_number() {
        for code in ["+15558675310", "15558675310", "no such number 555", "", &"x".repeat(65)] {
            assert_eq!(TABLE.explain(code).code, "unreadable", "{code}");
        }
    }
}
