//! What comes in: a webhook request, and the messages and receipts in it.

use std::fmt;

use anteroom_model::{phone::Address, states::MessageState, time::Timestamp};
use http::{HeaderMap, Method, StatusCode};

use crate::Failure;

/// Longest carrier message id that is stored; Twilio's have 34 characters.
const LONGEST_ID: usize = 128;

/// Which of an account's two webhooks was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/webhooks/{carrier}/{account}`: messages from patients.
    Messages,
    /// `/webhooks/{carrier}/{account}/status`: receipts.
    Status,
}

impl Endpoint {
    /// This endpoint's address as the carrier knows it, made of the account's `public_url` (that of
    /// [`Endpoint::Messages`]): what it signs, and what it is told as status callback.
    pub fn url(self, public_url: &str) -> String {
        let end = public_url.find(['?', '#']).unwrap_or(public_url.len());
        let (path, query) = public_url.split_at(end);
        match self {
            Self::Messages => public_url.to_owned(),
            Self::Status => format!("{}/status{query}", path.trim_end_matches('/')),
        }
    }
}

/// The address for a carrier's second try, made of the account's `public_url`: the same webhook, so that a
/// carrier whose first call failed still reaches us. Signed over this very address.
pub fn fallback_url(public_url: &str) -> String {
    let end = public_url.find(['?', '#']).unwrap_or(public_url.len());
    let (path, query) = public_url.split_at(end);
    format!("{}/fallback{query}", path.trim_end_matches('/'))
}

/// One webhook request as it was received.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The webhook that was called.
    pub endpoint: Endpoint,
    /// The request's method.
    pub method: &'a Method,
    /// Raw, as it stood in the request line: `/webhooks/twilio/…?bodySHA256=…`. Only its query is used,
    /// since a proxy may have changed the path.
    pub path_and_query: &'a str,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The whole body, as received.
    pub body: &'a [u8],
    /// The account's configured address for messages; never rebuilt from `Host`, which anybody can set.
    pub public_url: &'a str,
    /// When it came: what signed moments are compared with.
    pub received_at: Timestamp,
}

impl<'a> Delivery<'a> {
    /// What follows `?` in the request line.
    pub fn query(&self) -> Option<&'a str> {
        self.path_and_query.split_once('?').map(|(_, query)| query)
    }

    /// The header `name`, if it is there once and is text. Two different signatures are none.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok().map(str::trim).filter(|value| !value.is_empty());
        if values.next().is_some() { None } else { value }
    }
}

impl fmt::Debug for Delivery<'_> {
    /// Neither query, headers nor body: they hold what a patient wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("endpoint", &self.endpoint)
            .field("method", &self.method)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What a verified delivery holds. Both may be empty: some statuses say nothing new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inbound {
    /// Patients' texts. Carriers that call one address for all may bring them to either endpoint.
    pub messages: Vec<InboundMessage>,
    /// Delivery reports, likewise.
    pub receipts: Vec<Receipt>,
}

/// A patient's text (MO).
#[derive(Clone, PartialEq, Eq)]
pub struct InboundMessage {
    /// The carrier's id: with the account, the key to dedupe by.
    pub carrier_message_id: String,
    /// Who texted.
    pub from: Address,
    /// The clinic's number.
    pub to: Address,
    /// As written; may be empty when there is media.
    pub body: String,
    /// Pictures and other files, in the carrier's order.
    pub media: Vec<MediaRef>,
    /// How the carrier itself took the text, where it answers STOP and HELP on its own.
    pub opt_out_type: Option<OptOutType>,
    /// Segments the carrier counted.
    pub segments: Option<u32>,
    /// The carrier's own account that owns the number, where it says so (Twilio's `AccountSid`).
    pub carrier_account: Option<String>,
    /// When the carrier got it, where it says so.
    pub at: Option<Timestamp>,
    /// Which piece of a longer text this is, where the carrier hands on the pieces (Vonage's SMS API, SMPP).
    pub part: Option<Part>,
}

impl InboundMessage {
    /// A text and nothing besides.
    pub(crate) fn new(carrier_message_id: String, from: Address, to: Address, body: String) -> Self {
        Self {
            carrier_message_id,
            from,
            to,
            body,
            media: Vec::new(),
            opt_out_type: None,
            segments: None,
            carrier_account: None,
            at: None,
            part: None,
        }
    }
}

/// A piece of a longer text. Pieces belong together by sender, number and `reference`, and come in any
/// order, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The same for all pieces of one text; may come again with a later text.
    pub reference: String,
    /// From 1 to `count`.
    pub number: u8,
    /// How many there are, at least 2.
    pub count: u8,
}

impl Part {
    /// `None` for a text of one piece, and for numbers that make no sense: the text is then whole.
    pub(crate) fn new(reference: String, number: u8, count: u8) -> Option<Self> {
        (count > 1 && (1..=count).contains(&number)).then_some(Self { reference, number, count })
    }
}

impl fmt::Debug for InboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundMessage")
            .field("carrier_message_id", &self.carrier_message_id)
            .field("from", &self.from)
            .field("to", &self.to)
            .field("body_len", &self.body.len())
            .field("media", &self.media.len())
            .field("opt_out_type", &self.opt_out_type)
            .finish_non_exhaustive()
    }
}

/// A file that came with a text, still at the carrier.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaRef {
    /// Where it can be fetched. Seal it like the body: who has it may have the picture.
    pub url: String,
    /// MIME type as the carrier states it.
    pub content_type: Option<String>,
}

impl fmt::Debug for MediaRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaRef").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

/// What the carrier's own opt-out handling made of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOutType {
    /// It took the sender off its list and answered.
    Stop,
    /// It put the sender back on and answered.
    Start,
    /// It answered with its help text.
    Help,
}

/// A delivery report about a text that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The id that sending returned.
    pub carrier_message_id: String,
    /// How far it is.
    pub state: ReceiptState,
    /// Why it failed, where the carrier says so.
    pub failure: Option<Failure>,
    /// When, where the carrier says so.
    pub at: Option<Timestamp>,
}

/// How far a text is, in the order of a life. Receipts come in any order and twice; what to make of a late
/// one is [`MessageState::receipt_moves_to`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReceiptState {
    /// The carrier has it.
    Queued,
    /// The carrier has handed it on.
    Sent,
    /// It will not arrive.
    Failed,
    /// The handset has it.
    Delivered,
}

impl ReceiptState {
    /// The outbound message's state. `Queued` at the carrier is `sent` to us: the carrier has it.
    pub const fn message_state(self) -> MessageState {
        match self {
            Self::Queued | Self::Sent => MessageState::Sent,
            Self::Failed => MessageState::Failed,
            Self::Delivered => MessageState::Delivered,
        }
    }
}

/// Why a delivery was not taken. Its text is fixed and fit for the answer and the log: it holds nothing
/// of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no signature, or there are several.
    #[error("the request carries no signature")]
    SignatureMissing,
    /// The signature is none that the carrier would have made.
    #[error("the signature does not match the request")]
    SignatureInvalid,
    /// Genuine, but signed too long ago, or for the future: a replay, or a clock that is wrong.
    #[error("the request was signed too long ago or in the future")]
    Stale,
    /// What the signature has to be checked with can't be fetched just now; the carrier tries again.
    #[error("the key of the signature can't be fetched")]
    KeyUnavailable,
    /// Signed by the account's carrier, but about a carrier account that is not configured here.
    #[error("the request is about a carrier account that is not configured here")]
    WrongAccount,
    /// The carrier never calls with this method.
    #[error("this method is not used by the carrier")]
    MethodNotAllowed {
        /// Value of the answer's `Allow` header.
        allow: &'static str,
    },
    /// The carrier signed it, but it can't be read.
    #[error("{0}")]
    Malformed(#[from] Malformed),
}

/// What is wrong with a signed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Percent-encoding or UTF-8 is broken.
    #[error("the body is not well-formed percent-encoded UTF-8")]
    Encoding,
    /// There is a NUL character; `PostgreSQL` can't store one.
    #[error("the body contains a NUL character")]
    Nul,
    /// The body is not the JSON it should be.
    #[error("the body is not the JSON that was expected")]
    Json,
    /// An SMPP command is not what the protocol says.
    #[error("the PDU is not well-formed")]
    Pdu,
    /// A field that must be there is not, or is empty.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A field is no phone number.
    #[error("the field `{0}` is not a phone number")]
    Address(&'static str),
    /// A field is not what it should be.
    #[error("the field `{0}` is not well-formed")]
    Field(&'static str),
}

impl Malformed {
    /// A stable word for metrics, logs and problem documents.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Encoding => "bad_encoding",
            Self::Nul => "nul",
            Self::Json => "bad_json",
            Self::Pdu => "bad_pdu",
            Self::Missing(_) => "missing_field",
            Self::Address(_) => "bad_address",
            Self::Field(_) => "bad_field",
        }
    }
}

impl Rejection {
    /// A stable word for metrics, logs and problem documents.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SignatureMissing => "signature_missing",
            Self::SignatureInvalid => "signature_invalid",
            Self::Stale => "stale",
            Self::KeyUnavailable => "key_unavailable",
            Self::WrongAccount => "wrong_account",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::Malformed(malformed) => malformed.code(),
        }
    }

    /// The answer's status. A missing signature is 403, not 401: no challenge would help a carrier.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::SignatureMissing | Self::SignatureInvalid | Self::Stale | Self::WrongAccount => {
                StatusCode::FORBIDDEN
            }
            Self::KeyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
        }
    }
}

/// `text` as it is, unless it has a NUL.
pub fn text(text: String) -> Result<String, Malformed> {
    if text.contains('\0') { Err(Malformed::Nul) } else { Ok(text) }
}

/// Reads the address in the field `name`, as carriers write it.
pub(crate) fn address(name: &'static str, value: &str) -> Result<Address, Malformed> {
    Address::parse_lenient(value).map_err(|_| Malformed::Address(name))
}

/// Reads the carrier's message id in the field `name`: printable ASCII, not endless.
pub(crate) fn message_id(name: &'static str, value: &str) -> Result<String, Malformed> {
    let well_formed = (1..=LONGEST_ID).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic());
    if well_formed { Ok(value.to_owned()) } else { Err(Malformed::Field(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_endpoint_follows_the_public_url() {
        let cases = [
            ("https://c.example/webhooks/twilio/7", "https://c.example/webhooks/twilio/7/status"),
            ("https://c.example/w/", "https://c.example/w/status"),
            ("https://c.example/w?a=/b#f", "https://c.example/w/status?a=/b#f"),
        ];
        for (public_url, expected) in cases {
            assert_eq!(Endpoint::Messages.url(public_url), public_url);
            assert_eq!(Endpoint::Status.url(public_url), expected);
            assert_eq!(fallback_url(public_url), expected.replace("/status", "/fallback"));
        }
    }

    #[test]
    fn rejections_have_their_own_code_and_status() {
        let all = [
            (Rejection::SignatureMissing, 403),
            (Rejection::SignatureInvalid, 403),
            (Rejection::Stale, 403),
            (Rejection::KeyUnavailable, 503),
            (Rejection::WrongAccount, 403),
            (Rejection::MethodNotAllowed { allow: "POST" }, 405),
            (Malformed::Encoding.into(), 400),
            (Malformed::Nul.into(), 400),
            (Malformed::Json.into(), 400),
            (Malformed::Pdu.into(), 400),
            (Malformed::Missing("From").into(), 400),
            (Malformed::Address("From").into(), 400),
            (Malformed::Field("From").into(), 400),
        ];
        for (at, (rejection, status)) in all.iter().enumerate() {
            assert_eq!(rejection.status().as_u16(), *status);
            assert!(all[..at].iter().all(|(other, _)| other.code() != rejection.code()));
            assert!(!rejection.to_string().is_empty());
        }
    }

    #[test]
    fn debug_holds_nothing_a_patient_wrote() {
        let message = InboundMessage {
            carrier_message_id: "SM1".into(),
            from: Address::parse("+15558675342").unwrap(),
            to: Address::parse("+18005550100").unwrap(),
            body: "my knee hurts".into(),
            media: vec![MediaRef { url: "https://x.example/knee".into(), content_type: None }],
            opt_out_type: None,
            segments: Some(1),
            carrier_account: None,
            at: None,
            part: None,
        };
        let shown = format!("{message:?} {:?}", message.media);
        assert!(!shown.contains("knee") && !shown.contains("867"), "{shown}");
    }
}
