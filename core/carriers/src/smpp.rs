//! SMPP 3.4 and 5.0, directly to a carrier's message centre (SMSC).
//!
//! <https://smpp.org/SMPP_v3_4_Issue1_2.pdf>, <https://smpp.org/SMPP_v5.pdf>. There are no webhooks: a
//! [`Link`] is a connection that is kept up, bound as transceiver, over TLS unless the account says that it
//! runs inside a tunnel. Texts and receipts come in by it and are acknowledged once an [`Inbox`] has stored
//! them; long texts go out in pieces with a user data header, and come in as [`Part`](crate::Part)s.

use std::time::Duration;

use rusmpp::CommandStatus;
use serde::Deserialize;

use crate::{
    Failure,
    FailureKind::{Account, Other, Spam, Unreachable},
    OutboundText, ReceiptState, Secret, SendError, Sent,
    codes::{CodeTable, words},
    media::Access,
};

mod alphabet;
mod connect;
mod frames;
mod inbox;
mod link;
mod pdu;
mod redelivery;

pub use connect::LinkError;
pub use inbox::{Delivered, Inbox, NotStored, Unread, read_again};
pub use link::{Link, Links};
pub use redelivery::Fingerprint;

/// Nothing comes with its texts.
pub(crate) const MEDIA_ACCESS: Access<'static> = Access::PLAIN;

/// An account at a message centre (an ESME).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmppCredentials {
    /// Name or address of the message centre.
    pub host: String,
    /// Often 2775, or 3550 with TLS.
    pub port: u16,
    /// At most 15 characters.
    pub system_id: String,
    /// At most 8 characters, as the protocol has it.
    pub password: Secret,
    /// At most 12 characters; default none.
    #[serde(default)]
    pub system_type: String,
    /// Default `"3.4"`.
    #[serde(default)]
    pub interface_version: Version,
    /// Default `true`. Without it texts and password go in the clear: only inside a tunnel.
    #[serde(default = "yes")]
    pub tls: bool,
    /// PEM: trust this certificate instead of the machine's roots.
    #[serde(default)]
    pub ca_certificate: Option<String>,
    /// What data coding 0 means to this message centre; default `gsm7`.
    #[serde(default)]
    pub default_alphabet: DefaultAlphabet,
    /// Texts under way at once; default 10.
    #[serde(default = "ten")]
    pub window: u16,
    /// Seconds between signs of life; default 30.
    #[serde(default = "thirty")]
    pub enquire_link_seconds: u16,
}

/// The protocol's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Version {
    /// 3.4.
    #[default]
    #[serde(rename = "3.4")]
    V3_4,
    /// 5.0.
    #[serde(rename = "5.0")]
    V5_0,
}

/// A message centre's own alphabet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefaultAlphabet {
    /// GSM 03.38, a septet in each octet.
    #[default]
    Gsm7,
    /// ISO-8859-1.
    Latin1,
}

const fn yes() -> bool {
    true
}

const fn ten() -> u16 {
    10
}

const fn thirty() -> u16 {
    30
}

impl SmppCredentials {
    fn enquire_link(&self) -> Duration {
        Duration::from_secs(self.enquire_link_seconds.clamp(1, 600).into())
    }
}

/// Hands a text over, piece by piece, and waits until the message centre has all of it.
pub(crate) async fn send(
    links: &Links,
    credentials: &SmppCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    if !text.media_urls.is_empty() {
        return Err(Failure::no_media("SMPP").into());
    }
    let link = links.of(credentials).ok_or(SendError::Connect)?;
    let pieces = pdu::submits(credentials, text, link.next_reference())?;
    let mut last = None;
    for (at, piece) in pieces.into_iter().enumerate() {
        match link.submit(piece).await {
            Ok(id) => last = Some(id),
            Err(error) if at == 0 => return Err(error),
            // Part of the text is there: it may not be sent again as a whole.
            Err(SendError::Rejected(failure)) => return Err(failure.into()),
            Err(_) => return Err(SendError::Ambiguous),
        }
    }
    // The last piece's receipt is asked for; it stands for all.
    let carrier_message_id = last.ok_or(SendError::Ambiguous)?;
    Ok(Sent { carrier_message_id, state: ReceiptState::Queued, failure: None })
}

/// What a message centre's refusal means.
fn refused(status: CommandStatus) -> SendError {
    match status {
        CommandStatus::EsmeRthrottled | CommandStatus::EsmeRmsgqful => {
            SendError::RateLimited { retry_after: None }
        }
        CommandStatus::EsmeRsyserr => SendError::Unavailable { status: 500, retry_after: None },
        status => CODES.explain(&format!("0x{:02x}", u32::from(status))).into(),
    }
}

/// `command_status` of SMPP 3.4, 5.1.3, and the states of receipts.
pub(crate) const CODES: CodeTable = CodeTable {
    carrier: "The carrier",
    rows: &[
        (&["0x0b", "0x42"], Unreachable, words::NO_NUMBER),
        (&["UNDELIV"], Unreachable, words::NOT_DELIVERED),
        (&["EXPIRED"], Unreachable, words::TOO_LATE),
        (&["REJECTD", "0x45", "0x61"], Spam, "The patient's carrier refused the message."),
        (&["DELETED"], Other, "The carrier removed the message before it was delivered."),
        (
            &["0x0a", "0x48", "0x49", "0x53"],
            Account,
            "The clinic's number can't send texts through this account.",
        ),
        (
            &["0x04", "0x0d", "0x0e", "0x0f"],
            Account,
            "The carrier refused the account's credentials. An administrator must check the carrier account.",
        ),
        (&["0x01", "0x40", "0x43"], Other, "The message is too long, or has characters that can't be sent."),
    ],
};
