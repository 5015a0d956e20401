//! The older SMS API.
//!
//! Webhooks are GET, or POST with a form or JSON. `sig` is made of all other parameters, sorted, as
//! `&name=value` with `&` and `=` in values replaced by `_`: hashed with the secret behind it by MD5, or
//! by an HMAC under the secret. Because of the replacement a value's `&`, `=` and `_` are the same to the
//! signature; nothing else is.

use anteroom_model::segments::Encoding;
use hmac::Hmac;
use http::{Method, StatusCode, header};
use md5::{Digest, Md5};
use reqwest::Client;
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::{Api, VonageCredentials, codes, digits, messages::TOLERANCE, state};
use crate::{
    Delivery, Endpoint, Failure, Inbound, InboundMessage, Malformed, OutboundText, Receipt, ReceiptState,
    Rejection, Secret, SendError, Sent, client,
    form::{Form, Params},
    inbound::{self, Part, address, message_id},
    json, verify,
};

/// How `sig` is computed: as the dashboard's *signature method* says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureMethod {
    /// *MD5 hash*: Vonage's default, and the weakest: choose another.
    Md5Hash,
    /// *MD5 HMAC*.
    Md5,
    /// *SHA1 HMAC*.
    Sha1,
    /// *SHA-256 HMAC*.
    #[default]
    Sha256,
    /// *SHA-512 HMAC*.
    Sha512,
}

impl SignatureMethod {
    fn matches(self, secret: &Secret, signed: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Md5Hash => {
                let hash = Md5::new().chain_update(signed).chain_update(secret.expose()).finalize();
                verify::same(&hash, signature)
            }
            Self::Md5 => verify::is_mac::<Hmac<Md5>>(secret, &[signed], signature),
            Self::Sha1 => verify::is_mac::<Hmac<Sha1>>(secret, &[signed], signature),
            Self::Sha256 => verify::is_mac::<Hmac<Sha256>>(secret, &[signed], signature),
            Self::Sha512 => verify::is_mac::<Hmac<Sha512>>(secret, &[signed], signature),
        }
    }
}

pub(super) fn verify_and_parse(
    credentials: &VonageCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    let params = params(delivery)?;
    let signature = params.first("sig").ok_or(Rejection::SignatureMissing)?;
    let signature = hex::decode(signature).map_err(|_| Rejection::SignatureInvalid)?;
    let signed = signed(&params);
    let method = credentials.signature_method;
    credentials
        .signature_secret
        .verify(delivery.received_at, |secret| method.matches(secret, &signed, &signature))?;
    if params.filled("api-key").is_some_and(|key| key != credentials.api_key) {
        return Err(Rejection::WrongAccount);
    }
    let moment = params.filled("timestamp").and_then(verify::unix_seconds).ok_or(Rejection::Stale)?;
    verify::fresh(delivery, moment, TOLERANCE)?;
    for (name, value) in &params.0 {
        inbound::text(name.clone())?;
        inbound::text(value.clone())?;
    }
    Ok(match delivery.endpoint {
        Endpoint::Messages => Inbound { messages: vec![message(&params)?], receipts: Vec::new() },
        Endpoint::Status => {
            Inbound { messages: Vec::new(), receipts: receipt(&params)?.into_iter().collect() }
        }
    })
}

/// The parameters, not yet known to be genuine: what can't be read is signed by nobody.
fn params(delivery: &Delivery<'_>) -> Result<Params, Rejection> {
    let read = |raw: &[u8]| Form::decode(raw).into_text().map_err(|_| Rejection::SignatureInvalid);
    if delivery.method == Method::GET {
        return read(delivery.query().unwrap_or_default().as_bytes());
    }
    if delivery.method != Method::POST {
        return Err(Rejection::MethodNotAllowed { allow: "GET, POST" });
    }
    let kind = delivery.headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    if !kind.trim_ascii_start().to_ascii_lowercase().starts_with(b"application/json") {
        return read(delivery.body);
    }
    let fields: serde_json::Map<String, serde_json::Value> =
        json::read(delivery.body).map_err(|_| Rejection::SignatureInvalid)?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(Params(fields.into_iter().map(|(name, value)| (name, text(value))).collect()))
}

fn signed(params: &Params) -> Vec<u8> {
    let mut pairs: Vec<_> = params.0.iter().filter(|(name, _)| name != "sig").collect();
    pairs.sort_unstable();
    let mut signed = Vec::new();
    for (name, value) in pairs {
        signed.push(b'&');
        signed.extend_from_slice(name.as_bytes());
        signed.push(b'=');
        signed.extend(value.bytes().map(|byte| if matches!(byte, b'&' | b'=') { b'_' } else { byte }));
    }
    signed
}

fn message(params: &Params) -> Result<InboundMessage, Malformed> {
    let id = message_id("messageId", params.required("messageId")?)?;
    let from = address("msisdn", params.required("msisdn")?)?;
    let to = address("to", params.required("to")?)?;
    let body = params.first("text").ok_or(Malformed::Missing("text"))?.to_owned();
    Ok(InboundMessage { part: part(params), ..InboundMessage::new(id, from, to, body) })
}

/// Which piece of a longer text this is.
fn part(params: &Params) -> Option<Part> {
    let number = |name| params.filled(name)?.parse().ok();
    params.filled("concat").filter(|flag| *flag == "true")?;
    Part::new(params.filled("concat-ref")?.to_owned(), number("concat-part")?, number("concat-total")?)
}

fn receipt(params: &Params) -> Result<Option<Receipt>, Malformed> {
    let carrier_message_id = message_id("messageId", params.required("messageId")?)?;
    let Some(state) = state(params.required("status")?) else { return Ok(None) };
    let failure = codes(Api::Sms).failure(state, params.filled("err-code"));
    Ok(Some(Receipt { carrier_message_id, state, failure, at: None }))
}

#[derive(Deserialize)]
struct Answer {
    messages: Vec<Taken>,
}

#[derive(Deserialize)]
struct Taken {
    status: String,
    #[serde(rename = "message-id")]
    message_id: Option<String>,
}

/// `POST /sms/json`: refusals come with status 200.
pub(super) async fn send(
    http: &Client,
    credentials: &VonageCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    if !text.media_urls.is_empty() {
        return Err(Failure::no_media("Vonage").into());
    }
    let our_id = text.our_id.to_string();
    let mut form = vec![
        ("to", digits(text.to.as_str())),
        ("from", digits(text.from.as_str())),
        ("text", &text.body),
        ("client-ref", &our_id),
    ];
    // Without it characters outside GSM-7 become question marks.
    if Encoding::of(&text.body) == Encoding::Ucs2 {
        form.push(("type", "unicode"));
    }
    if !text.status_callback.is_empty() {
        form.extend([("status-report-req", "true"), ("callback", text.status_callback.as_str())]);
    }
    let response = http
        .post(credentials.rest_base_url.join("/sms/json"))
        .basic_auth(&credentials.api_key, Some(credentials.api_secret.expose()))
        .form(&form)
        .send()
        .await;
    let body = client::answer(response, |status: StatusCode, _| codes(Api::Sms).http(status).into()).await?;
    let Answer { messages } = client::accepted(&body)?;
    // A long text is several messages; the first one's receipts stand for all.
    let first = messages.into_iter().next().ok_or(SendError::Ambiguous)?;
    match (first.status.as_str(), first.message_id) {
        ("0", Some(id)) => Ok(Sent { carrier_message_id: id, state: ReceiptState::Queued, failure: None }),
        ("0", None) => Err(SendError::Ambiguous),
        ("1", _) => Err(SendError::RateLimited { retry_after: None }),
        (status, _) => Err(codes(Api::Sms).explain(&format!("status_{status}")).into()),
    }
}
