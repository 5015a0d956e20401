//! Telnyx: JSON webhooks signed with ed25519, a JSON API.
//!
//! <https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks>. `telnyx-signature-ed25519` is
//! base64 of a signature over `{telnyx-timestamp}|{raw body}` under the account's public key; the moment
//! may be five minutes off, as in Telnyx's own SDKs. One address gets messages and receipts, unless a send
//! names another for its receipts, as ours do.

use std::time::Duration;

use http::StatusCode;
use reqwest::Client;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    Delivery, Failure,
    FailureKind::{Account, Landline, OptedOut, Other, Spam, Unreachable, Unregistered},
    Inbound, InboundMessage, Malformed, MediaRef, OptOutType, OutboundText, Receipt, ReceiptState, Rejection,
    Secret, SendError, Sent, client,
    codes::{CodeTable, words},
    credentials::BaseUrl,
    identifier,
    inbound::{address, message_id, text},
    json::{self, Code, required},
    media::Access,
    rotation::Rotating,
    verify,
};

pub(crate) mod list;
pub(crate) mod registration;

/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "telnyx-signature-ed25519";
/// Header with the moment that is signed.
pub const TIMESTAMP_HEADER: &str = "telnyx-timestamp";

/// How old a signature may be; each attempt is signed anew.
const TOLERANCE: Duration = Duration::from_mins(5);

/// A Telnyx account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelnyxCredentials {
    /// `KEY…`: authenticates requests.
    pub api_key: Secret,
    /// Base64, from Mission Control's *Keys & Credentials*: verifies webhooks.
    pub public_key: Rotating<PublicKey>,
    /// A UUID: send within this profile.
    #[serde(default, deserialize_with = "identifier::optional")]
    pub messaging_profile_id: Option<String>,
    /// Default `https://api.telnyx.com/v2`.
    #[serde(default = "default_base")]
    pub api_base_url: BaseUrl,
}

fn default_base() -> BaseUrl {
    BaseUrl::constant("https://api.telnyx.com/v2")
}

/// An ed25519 public key.
#[derive(Clone, Debug)]
pub struct PublicKey([u8; 32]);

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key = verify::base64(text.trim()).ok().and_then(|key| key.try_into().ok());
        key.map(Self).ok_or_else(|| de::Error::custom("expected a public key of 32 bytes in base64"))
    }
}

#[derive(Deserialize)]
struct Envelope {
    data: Event,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "event_type")]
    kind: Option<String>,
    occurred_at: Option<String>,
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    id: Option<String>,
    from: Option<Party>,
    #[serde(default)]
    to: Vec<Party>,
    text: Option<String>,
    #[serde(default)]
    media: Vec<Media>,
    parts: Option<u32>,
    received_at: Option<String>,
    completed_at: Option<String>,
    sent_at: Option<String>,
    #[serde(default)]
    errors: Vec<Fault>,
    autoresponse_type: Option<String>,
}

#[derive(Deserialize)]
struct Party {
    phone_number: Option<String>,
    status: Option<String>,
}

#[derive(Deserialize)]
struct Media {
    url: Option<String>,
    content_type: Option<String>,
}

#[derive(Deserialize)]
struct Fault {
    code: Option<Code>,
}

pub(crate) fn verify_and_parse(
    credentials: &TelnyxCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    verify::post_only(delivery)?;
    let signature = verify::base64(verify::proof(delivery, SIGNATURE_HEADER)?)?;
    let timestamp = verify::proof(delivery, TIMESTAMP_HEADER)?;
    let signed = [timestamp.as_bytes(), b"|", delivery.body].concat();
    credentials.public_key.verify(delivery.received_at, |key| {
        UnparsedPublicKey::new(&ED25519, key.0).verify(&signed, &signature).is_ok()
    })?;
    let signed_at = verify::unix_seconds(timestamp).ok_or(Rejection::SignatureInvalid)?;
    verify::fresh(delivery, signed_at, TOLERANCE)?;

    let Envelope { data } = json::read(delivery.body)?;
    Ok(match data.kind.as_deref() {
        Some("message.received") => Inbound { messages: messages(data)?, receipts: Vec::new() },
        Some("message.sent" | "message.finalized") => {
            Inbound { messages: Vec::new(), receipts: receipt(&data)?.into_iter().collect() }
        }
        // Events of other products, and new ones.
        _ => Inbound::default(),
    })
}

/// One text; a group's has several addressees, one of which is the clinic's number.
fn messages(event: Event) -> Result<Vec<InboundMessage>, Malformed> {
    let payload = event.payload;
    let id = message_id("id", &required("id", payload.id)?)?;
    let from = address("from", &required("from", payload.from.and_then(|from| from.phone_number))?)?;
    let media = payload
        .media
        .into_iter()
        .filter_map(|media| Some((media.url?, media.content_type)))
        .map(|(url, kind)| Ok(MediaRef { url: text(url)?, content_type: kind.map(text).transpose()? }))
        .collect::<Result<Vec<_>, Malformed>>()?;
    let body = match payload.text {
        Some(body) => text(body)?,
        None if media.is_empty() => return Err(Malformed::Missing("text")),
        None => String::new(),
    };
    let opt_out_type = payload.autoresponse_type.as_deref().and_then(opt_out_type);
    let at = json::moment(payload.received_at.as_deref().or(event.occurred_at.as_deref()));
    let to = payload.to.into_iter().next().and_then(|to| to.phone_number);
    let to = address("to", &required("to", to)?)?;
    Ok(vec![InboundMessage {
        media,
        opt_out_type,
        segments: payload.parts,
        at,
        ..InboundMessage::new(id, from, to, body)
    }])
}

fn opt_out_type(word: &str) -> Option<OptOutType> {
    match word {
        "STOP" => Some(OptOutType::Stop),
        "START" => Some(OptOutType::Start),
        "HELP" => Some(OptOutType::Help),
        _ => None,
    }
}

fn receipt(event: &Event) -> Result<Option<Receipt>, Malformed> {
    let payload = &event.payload;
    let id = message_id("id", payload.id.as_deref().ok_or(Malformed::Missing("id"))?)?;
    let status =
        payload.to.first().and_then(|to| to.status.as_deref()).ok_or(Malformed::Missing("status"))?;
    let Some(state) = state(status) else { return Ok(None) };
    let at = payload.completed_at.as_deref().or(payload.sent_at.as_deref()).or(event.occurred_at.as_deref());
    let failure = CODES.failure(state, first_code(&payload.errors).or(Some(status)));
    Ok(Some(Receipt { carrier_message_id: id, state, failure, at: json::moment(at) }))
}

fn first_code(faults: &[Fault]) -> Option<&str> {
    faults.iter().find_map(|fault| fault.code.as_ref().map(|code| code.0.as_str()))
}

/// States of one addressee. `None` for words that are new.
fn state(status: &str) -> Option<ReceiptState> {
    match status {
        "queued" | "sending" => Some(ReceiptState::Queued),
        // Handed on, and the network never tells more.
        "sent" | "delivery_unconfirmed" => Some(ReceiptState::Sent),
        "delivered" | "read" | "webhook_delivered" => Some(ReceiptState::Delivered),
        "sending_failed" | "delivery_failed" | "expired" => Some(ReceiptState::Failed),
        _ => None,
    }
}

#[derive(Serialize)]
struct Request<'a> {
    from: &'a str,
    to: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    media_urls: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    messaging_profile_id: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    webhook_url: &'a str,
}

#[derive(Deserialize)]
struct Accepted {
    data: AcceptedMessage,
}

#[derive(Deserialize)]
struct AcceptedMessage {
    id: String,
    #[serde(default)]
    to: Vec<Party>,
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
struct Refusal {
    errors: Vec<Fault>,
}

/// Links are signed by where they are kept, and want nothing else.
pub(crate) const fn media_access(_: &TelnyxCredentials) -> Access<'_> {
    Access::PLAIN
}

/// `POST /v2/messages`.
pub(crate) async fn send(
    http: &Client,
    credentials: &TelnyxCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    let request = Request {
        from: text.from.as_str(),
        to: text.to.as_str(),
        text: &text.body,
        media_urls: &text.media_urls,
        messaging_profile_id: text
            .messaging_service
            .as_deref()
            .or(credentials.messaging_profile_id.as_deref()),
        webhook_url: &text.status_callback,
    };
    let response = http
        .post(credentials.api_base_url.join("/messages"))
        .bearer_auth(credentials.api_key.expose())
        .header("Idempotency-Key", text.our_id.to_string())
        .json(&request)
        .send()
        .await;
    let body = client::answer(response, refusal).await?;
    let Accepted { data } = client::accepted(&body)?;
    let status = data.to.first().and_then(|to| to.status.as_deref());
    let state = status.and_then(state).unwrap_or(ReceiptState::Queued);
    let failure = CODES.failure(state, first_code(&data.errors).or(status));
    Ok(Sent { carrier_message_id: data.id, state, failure })
}

fn refusal(status: StatusCode, body: &[u8]) -> SendError {
    let refusal = serde_json::from_slice::<Refusal>(body).ok();
    let failure: Failure = CODES.refusal(status, refusal.as_ref().and_then(|r| first_code(&r.errors)));
    if failure.code == "40011" { SendError::RateLimited { retry_after: None } } else { failure.into() }
}

/// <https://developers.telnyx.com/docs/messaging/messages/error-codes>.
pub(crate) const CODES: CodeTable = CodeTable {
    carrier: "Telnyx",
    rows: &[
        (&["40300"], OptedOut, words::OPTED_OUT),
        (&["40001"], Landline, words::LANDLINE),
        (&["10002", "10016", "40012", "40310"], Unreachable, words::NO_NUMBER),
        (&["40004", "40008", "delivery_failed"], Unreachable, words::NOT_DELIVERED),
        (&["40006"], Unreachable, "The patient's carrier can't be reached just now."),
        (&["40005", "40014", "expired"], Unreachable, words::TOO_LATE),
        (&["40002", "40003", "40015", "40017", "40322"], Spam, words::FILTERED),
        (&["40016", "40018", "40333"], Spam, "The clinic's number has sent as much as is allowed for now."),
        (&["40010"], Unregistered, words::UNREGISTERED),
        (&["40329", "40330"], Unregistered, words::UNVERIFIED),
        (
            &["10009", "10010", "http_401"],
            Account,
            "Telnyx refused the API key. An administrator must check the carrier account.",
        ),
        (
            &["20002", "20006", "20012", "20013", "20014", "20015", "20017"],
            Account,
            "The Telnyx account is not active or has no balance. An administrator must check the carrier account.",
        ),
        (
            &["40013", "40100", "40305", "40306", "40308", "40312", "40313", "40314", "40315", "40321"],
            Account,
            "The clinic's number can't send texts through this Telnyx account or messaging profile.",
        ),
        (
            &["40009", "40302", "40316"],
            Other,
            "The message is too long, or has characters that can't be sent.",
        ),
        (
            &["40317"],
            Other,
            "The picture or file can't be sent: Telnyx could not fetch it, or it is too large.",
        ),
        (&["40318"], Other, "Telnyx's queue for the clinic's number is full. Try again later."),
        (&["40011"], Other, "Too many texts at once for the clinic's number."),
        (&["sending_failed"], Other, "Telnyx could not send the message and gave no reason."),
    ],
};

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_well_formed() {
        crate::codes::check(&super::CODES);
    }
}
