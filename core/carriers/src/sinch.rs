//! Sinch: JSON webhooks signed with HMAC-SHA256, the SMS REST API (`xms`).
//!
//! <https://developers.sinch.com/docs/sms/api-reference/>. `x-sinch-webhook-signature` is base64 of a
//! signature over `{raw body}.{nonce}.{timestamp}`. Each text is a *batch* of one.

use std::time::Duration;

use anteroom_model::time::Timestamp;
use hmac::Hmac;
use http::StatusCode;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{
    Delivery,
    FailureKind::{Account, Landline, OptedOut, Other, Spam, Unreachable, Unregistered},
    FindError, FoundMessage, Inbound, InboundMessage, Malformed, MediaRef, OutboundText, Receipt,
    ReceiptState, Rejection, Secret, SendError, Sent, SentQuery, client,
    codes::{CodeTable, words},
    credentials::BaseUrl,
    identifier,
    inbound::{address, message_id, text},
    json::{self, Code, required},
    media::Access,
    rotation::Rotating,
    verify,
};

/// Header with the signature; its nonce and timestamp are in headers named after it.
pub const SIGNATURE_HEADER: &str = "x-sinch-webhook-signature";
const NONCE_HEADER: &str = "x-sinch-webhook-signature-nonce";
const TIMESTAMP_HEADER: &str = "x-sinch-webhook-signature-timestamp";

/// How old a signature may be: as long as Sinch tries again (5 s, doubling to 81,920 s, some 46 hours in
/// all), since nothing tells that it signs each attempt anew, and it never repeats after a 403. Within that,
/// replays are recognised by their `id`.
const TOLERANCE: Duration = Duration::from_hours(48);

/// A Sinch service plan.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinchCredentials {
    /// Hexadecimal digits.
    #[serde(deserialize_with = "identifier::read")]
    pub service_plan_id: String,
    /// Authenticates requests.
    pub api_token: Secret,
    /// Signs webhooks.
    pub webhook_secret: Rotating<Secret>,
    /// The plan's region; default `https://us.sms.api.sinch.com`.
    #[serde(default = "default_base")]
    pub api_base_url: BaseUrl,
}

fn default_base() -> BaseUrl {
    BaseUrl::constant("https://us.sms.api.sinch.com")
}

/// What every webhook's body begins with.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Message {
    id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    body: Option<Body>,
    received_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Text(String),
    Media {
        subject: Option<String>,
        message: Option<String>,
        #[serde(default)]
        media: Vec<Media>,
    },
}

#[derive(Deserialize)]
struct Media {
    /// Missing where the upload failed.
    url: Option<String>,
    content_type: Option<String>,
}

#[derive(Deserialize)]
struct Report {
    batch_id: Option<String>,
    status: Option<String>,
    code: Option<Code>,
    at: Option<String>,
}

pub(crate) fn verify_and_parse(
    credentials: &SinchCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    verify::post_only(delivery)?;
    let signature = verify::base64(verify::proof(delivery, SIGNATURE_HEADER)?)?;
    let nonce = verify::proof(delivery, NONCE_HEADER)?;
    let timestamp = verify::proof(delivery, TIMESTAMP_HEADER)?;
    let signed = [delivery.body, b".", nonce.as_bytes(), b".", timestamp.as_bytes()];
    credentials
        .webhook_secret
        .verify(delivery.received_at, |secret| verify::is_mac::<Hmac<Sha256>>(secret, &signed, &signature))?;
    let signed_at = moment(timestamp).ok_or(Rejection::SignatureInvalid)?;
    verify::fresh(delivery, signed_at, TOLERANCE)?;

    let Kind { kind } = json::read(delivery.body)?;
    Ok(match kind.as_str() {
        "mo_text" | "mo_media" => {
            Inbound { messages: vec![message(json::read(delivery.body)?)?], receipts: Vec::new() }
        }
        // A port or a ring tone, nothing that staff could read.
        "mo_binary" => return Err(Malformed::Field("type").into()),
        "recipient_delivery_report_sms" | "recipient_delivery_report_mms" => Inbound {
            messages: Vec::new(),
            receipts: receipt(json::read(delivery.body)?)?.into_iter().collect(),
        },
        _ => Inbound::default(),
    })
}

/// Seconds, or an RFC 3339 moment.
fn moment(text: &str) -> Option<Timestamp> {
    verify::unix_seconds(text).or_else(|| json::moment(Some(text)))
}

fn message(message: Message) -> Result<InboundMessage, Malformed> {
    let id = message_id("id", &required("id", message.id)?)?;
    let from = address("from", &required("from", message.from)?)?;
    let to = address("to", &required("to", message.to)?)?;
    let (body, files) = match message.body.ok_or(Malformed::Missing("body"))? {
        Body::Text(body) => (body, Vec::new()),
        Body::Media { subject, message, media } => {
            let texts = [subject, message].into_iter().flatten().filter(|text| !text.is_empty());
            (texts.collect::<Vec<_>>().join("\n"), media)
        }
    };
    let media = files
        .into_iter()
        .filter_map(|file| Some((file.url?, file.content_type)))
        .map(|(url, kind)| Ok(MediaRef { url: text(url)?, content_type: kind.map(text).transpose()? }))
        .collect::<Result<Vec<_>, Malformed>>()?;
    let at = json::moment(message.received_at.as_deref());
    Ok(InboundMessage { media, at, ..InboundMessage::new(id, from, to, text(body)?) })
}

fn receipt(report: Report) -> Result<Option<Receipt>, Malformed> {
    let carrier_message_id = message_id("batch_id", &required("batch_id", report.batch_id)?)?;
    let status = required("status", report.status)?;
    let Some(state) = state(&status) else { return Ok(None) };
    let code = report.code.map_or_else(|| status.clone(), |code| code.0);
    let failure = CODES.failure(state, Some(&code));
    Ok(Some(Receipt { carrier_message_id, state, failure, at: json::moment(report.at.as_deref()) }))
}

/// `None` for `UNKNOWN` and for words that are new.
fn state(status: &str) -> Option<ReceiptState> {
    match status.to_ascii_uppercase().as_str() {
        "QUEUED" => Some(ReceiptState::Queued),
        "DISPATCHED" => Some(ReceiptState::Sent),
        "DELIVERED" => Some(ReceiptState::Delivered),
        "ABORTED" | "CANCELLED" | "FAILED" | "EXPIRED" | "REJECTED" | "DELETED" => Some(ReceiptState::Failed),
        _ => None,
    }
}

#[derive(Serialize)]
struct Request<'a> {
    to: [&'a str; 1],
    from: &'a str,
    body: RequestBody<'a>,
    #[serde(rename = "type")]
    kind: &'a str,
    delivery_report: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    callback_url: &'a str,
    client_reference: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RequestBody<'a> {
    Text(&'a str),
    Media {
        url: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        message: &'a str,
    },
}

#[derive(Deserialize)]
struct Accepted {
    id: String,
}

#[derive(Deserialize)]
struct Refusal {
    code: Option<Code>,
}

/// Links want nothing else.
pub(crate) const fn media_access(_: &SinchCredentials) -> Access<'_> {
    Access::PLAIN
}

/// `POST /xms/v1/{service plan}/batches`.
pub(crate) async fn send(
    http: &Client,
    credentials: &SinchCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    let (kind, body) = match text.media_urls.as_slice() {
        [] => ("mt_text", RequestBody::Text(&text.body)),
        [url] => ("mt_media", RequestBody::Media { url, message: &text.body }),
        _ => return Err(CODES.explain("one_file").into()),
    };
    let request = Request {
        to: [text.to.as_str()],
        from: text.from.as_str(),
        body,
        kind,
        delivery_report: "per_recipient",
        callback_url: &text.status_callback,
        client_reference: text.our_id.to_string(),
    };
    let response = http
        .post(batches(credentials))
        .bearer_auth(credentials.api_token.expose())
        .json(&request)
        .send()
        .await;
    let body = client::answer(response, refusal).await?;
    let Accepted { id } = client::accepted(&body)?;
    Ok(Sent { carrier_message_id: id, state: ReceiptState::Queued, failure: None })
}

fn batches(credentials: &SinchCredentials) -> String {
    credentials.api_base_url.join(&format!("/xms/v1/{}/batches", credentials.service_plan_id))
}

/// A list of at most one batch: reads, changes nothing.
pub(crate) fn probe(http: &Client, credentials: &SinchCredentials) -> reqwest::RequestBuilder {
    let wanted = [("page", "0"), ("page_size", "1")];
    http.get(batches(credentials)).query(&wanted).bearer_auth(credentials.api_token.expose())
}

fn refusal(status: StatusCode, body: &[u8]) -> SendError {
    let code = serde_json::from_slice::<Refusal>(body).ok().and_then(|refusal| refusal.code);
    CODES.refusal(status, code.as_ref().map(|code| code.0.as_str())).into()
}

#[derive(Deserialize)]
struct Page {
    batches: Vec<Batch>,
}

#[derive(Deserialize)]
struct Batch {
    id: String,
    client_reference: Option<String>,
    created_at: Option<String>,
}

/// `GET /xms/v1/{service plan}/batches`, by our id.
pub(crate) async fn find_sent(
    http: &Client,
    credentials: &SinchCredentials,
    query: &SentQuery,
) -> Result<Vec<FoundMessage>, FindError> {
    let reference = query.our_id.to_string();
    // Without a start only today's are listed.
    let since = query.since.to_jiff().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
    let wanted = [("client_reference", reference.as_str()), ("start_date", &since), ("page_size", "100")];
    let request = http.get(batches(credentials)).query(&wanted).bearer_auth(credentials.api_token.expose());
    let page: Page = client::list(request.send().await).await?;
    let ours = page.batches.into_iter().filter(|batch| batch.client_reference.as_ref() == Some(&reference));
    let found = ours.map(|batch| {
        Ok(FoundMessage {
            carrier_message_id: batch.id,
            state: ReceiptState::Queued,
            failure: None,
            created: json::moment(batch.created_at.as_deref()).ok_or(FindError::Malformed)?,
        })
    });
    found.collect()
}

/// <https://developers.sinch.com/docs/sms/api-reference/sms/tag/Delivery-reports/>,
/// <https://developers.sinch.com/docs/sms/smpp/10dlc-errors>.
pub(crate) const CODES: CodeTable = CodeTable {
    carrier: "Sinch",
    rows: &[
        (
            &["DELETED"],
            OptedOut,
            "The patient has texted STOP to this number, or the number is not valid. They must text START before they can be texted again.",
        ),
        (
            &["402", "300", "1", "5", "syntax_invalid_parameter_format"],
            Unreachable,
            "The patient's number is not valid, unknown, or can't be routed to.",
        ),
        (&["404", "27", "417", "31"], Unreachable, words::OUT_OF_REACH),
        (&["406", "EXPIRED"], Unreachable, words::TOO_LATE),
        (&["11", "152", "416"], Landline, words::LANDLINE),
        (&["15", "62"], Spam, words::FILTERED),
        (&["64"], Spam, "The clinic's number has sent as much as carriers allow for now."),
        (
            &["60"],
            Unregistered,
            "The clinic's number is not registered for business texting (A2P 10DLC), or its campaign is not active.",
        ),
        (
            &["413", "unauthorized", "missing_callback_url", "not_enough_credits"],
            Account,
            "The Sinch account is blocked, or out of credit. An administrator must check the carrier account.",
        ),
        (
            &["310", "410", "412", "forbidden"],
            Account,
            "The clinic's number can't send texts through this Sinch service plan.",
        ),
        (&["407"], Other, "The message was cancelled before it was sent."),
        (&["405", "411", "syntax_constraint_violation"], Other, "The message is too long, or empty."),
        (
            &["414", "418", "one_file"],
            Other,
            "The picture can't be sent: Sinch takes one file a message, and must be able to fetch it.",
        ),
        (
            &["403", "408", "415", "399"],
            Other,
            "Sinch or the patient's carrier refused the message and gave no reason.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_well_formed() {
        crate::codes::check(&super::CODES);
    }
}
