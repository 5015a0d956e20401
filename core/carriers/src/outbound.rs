//! What goes out: a text, and everything that can come of it.

use std::{borrow::Cow, fmt, time::Duration};

use anteroom_model::{ids::MessageId, phone::Address, time::Timestamp};

use crate::ReceiptState;

/// A text to a patient (MT), ready to send: opt-outs and registration are already checked.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboundText {
    /// Our id, handed to carriers that dedupe by it.
    pub our_id: MessageId,
    /// The patient.
    pub to: Address,
    /// The clinic's number.
    pub from: Address,
    /// As it will be read; not empty.
    pub body: String,
    /// Where receipts go: [`Endpoint::Status`](crate::Endpoint) of the account's public address.
    pub status_callback: String,
    /// Addresses of pictures and other files that go with it; the carrier fetches them.
    pub media_urls: Vec<String>,
    /// The carrier's own service that the number sends within, where that is not the account's: Twilio's
    /// Messaging Service, Telnyx' messaging profile. Other carriers have none.
    pub messaging_service: Option<String>,
    /// Now: some carriers' requests are signed with the moment.
    pub at: Timestamp,
}

impl fmt::Debug for OutboundText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboundText")
            .field("our_id", &self.our_id)
            .field("to", &self.to)
            .field("from", &self.from)
            .field("body_len", &self.body.len())
            .field("media", &self.media_urls.len())
            .finish_non_exhaustive()
    }
}

/// The carrier has taken a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The carrier's id, which receipts will name.
    pub carrier_message_id: String,
    /// Usually `Queued`.
    pub state: ReceiptState,
    /// Why it failed at once, if it did.
    pub failure: Option<Failure>,
}

/// Why a carrier will not deliver a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The carrier's code (`21610`), or `http_404` where it gave none.
    pub code: String,
    /// What it comes down to.
    pub kind: FailureKind,
    /// For staff to read; holds neither numbers nor the text.
    pub text: Cow<'static, str>,
}

impl Failure {
    /// No carrier takes a NUL.
    pub(crate) fn nul() -> Self {
        Self {
            code: "nul".into(),
            kind: FailureKind::Other,
            text: "The message contains a character that can't be sent.".into(),
        }
    }

    /// Some carriers take no pictures.
    pub(crate) fn no_media(carrier: &str) -> Self {
        Self {
            code: "no_media".into(),
            kind: FailureKind::Other,
            text: format!("{carrier} can't send pictures or files from this account.").into(),
        }
    }
}

/// What a failure comes down to. None of them is worth a retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The patient told the carrier STOP: record the opt-out.
    OptedOut,
    /// The clinic's number may not send yet: close its registration gate.
    Unregistered,
    /// The number doesn't exist, or the phone can't be reached.
    Unreachable,
    /// The number can't receive texts.
    Landline,
    /// Filtered for what it says or how much is sent.
    Spam,
    /// The carrier account is at fault (credentials, suspension, balance): every text will fail likewise.
    Account,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// The word in SQL, REST and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::Unregistered => "unregistered",
            Self::Unreachable => "unreachable",
            Self::Landline => "landline",
            Self::Spam => "spam",
            Self::Account => "account",
            Self::Other => "other",
        }
    }
}

/// Why sending did not succeed. [`SendError::next_step`] says what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The carrier refused the text.
    #[error("the carrier refused the message ({})", .0.code)]
    Rejected(Failure),
    /// Too many requests; not accepted.
    #[error("the carrier asks to slow down")]
    RateLimited {
        /// How long the carrier asked to wait.
        retry_after: Option<Duration>,
    },
    /// The carrier answered that it is in trouble. It should not have accepted the text, but a fault after
    /// accepting looks the same.
    #[error("the carrier is unavailable (HTTP {status})")]
    Unavailable {
        /// 408 or 5xx.
        status: u16,
        /// How long the carrier asked to wait.
        retry_after: Option<Duration>,
    },
    /// The carrier was never reached: nothing was sent.
    #[error("the carrier can't be reached")]
    Connect,
    /// The request went out and no whole answer came back: the carrier may have the text or not.
    #[error("no answer from the carrier; it may have accepted the message")]
    Ambiguous,
}

/// What the outbox does after a [`SendError`], so that nothing is ever sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Fail, with the reason.
    GiveUp,
    /// Send again, not before this long.
    Retry(Option<Duration>),
    /// Look with [`Carriers::find_sent`](crate::Carriers::find_sent), not before this long; what isn't
    /// found is sent again.
    CheckThenRetry(Option<Duration>),
    /// Look likewise; what isn't found is *unknown*, for staff to decide: the carrier may still be busy
    /// taking it.
    CheckOnly,
}

impl From<Failure> for SendError {
    fn from(failure: Failure) -> Self {
        Self::Rejected(failure)
    }
}

impl SendError {
    /// What to do.
    pub const fn next_step(&self) -> NextStep {
        match self {
            Self::Rejected(_) => NextStep::GiveUp,
            Self::RateLimited { retry_after } => NextStep::Retry(*retry_after),
            Self::Connect => NextStep::Retry(None),
            Self::Unavailable { retry_after, .. } => NextStep::CheckThenRetry(*retry_after),
            Self::Ambiguous => NextStep::CheckOnly,
        }
    }

    /// A stable word for metrics and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rejected(_) => "rejected",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } => "unavailable",
            Self::Connect => "connect",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// What to look for among the texts that the carrier took.
#[derive(Clone)]
pub struct SentQuery {
    /// Our id, which some carriers keep with the text.
    pub our_id: MessageId,
    /// The patient.
    pub to: Address,
    /// The clinic's number.
    pub from: Address,
    /// Compared exactly.
    pub body: String,
    /// Start of the first attempt, minus what clocks may differ; the carrier keeps whole seconds.
    pub since: Timestamp,
}

impl fmt::Debug for SentQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentQuery").field("since", &self.since).finish_non_exhaustive()
    }
}

/// A text that the carrier did take. It may be the answer to an earlier, equal text: whoever asked leaves
/// out the ids it already knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundMessage {
    /// The carrier's id.
    pub carrier_message_id: String,
    /// How far it is.
    pub state: ReceiptState,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// When the carrier took it, to the second.
    pub created: Timestamp,
}

/// Why the carrier's list could not be read. Nothing follows about the text: ask again, or leave it
/// *unknown*.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// No connection, no answer, or not the whole one.
    #[error("the carrier's list can't be read")]
    Unreachable,
    /// Any status but 200.
    #[error("the carrier refused to list messages (HTTP {status})")]
    Refused {
        /// The answer's status.
        status: u16,
        /// How long the carrier asked to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is not what was expected.
    #[error("the carrier's list is not what was expected")]
    Malformed,
    /// The carrier offers no list: whoever sent it can't know.
    #[error("the carrier lists no messages")]
    NotOffered,
    /// Nothing found in as many messages as are read, and there are more.
    #[error("the carrier's list is too long to be sure")]
    TooLong,
}
