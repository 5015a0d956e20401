//! The Messages API.
//!
//! Webhooks are signed by a bearer token: HS256 under the signature secret of the account that `api_key`
//! names, with `payload_hash` over the body. The address is not covered.

use std::time::Duration;

use anteroom_model::time::Timestamp;
use http::{StatusCode, header};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Api, VonageCredentials, codes, digits, state, token};
use crate::{
    Delivery, Inbound, InboundMessage, Malformed, MediaRef, OutboundText, Receipt, ReceiptState, Rejection,
    SendError, Sent, client,
    inbound::{address, message_id, text},
    json::{self, Code, required},
    verify,
};

/// How old a token may be: as long as Vonage tries again, since nothing tells that it signs each attempt
/// anew. Within that, replays are recognised by `message_uuid`.
pub(super) const TOLERANCE: Duration = Duration::from_hours(24);

/// A message, or with `status` a receipt.
#[derive(Deserialize)]
struct Event {
    message_uuid: Option<String>,
    from: Option<String>,
    to: Option<String>,
    timestamp: Option<String>,
    message_type: Option<String>,
    text: Option<String>,
    image: Option<File>,
    audio: Option<File>,
    video: Option<File>,
    file: Option<File>,
    vcard: Option<File>,
    #[serde(default)]
    content: Vec<Content>,
    sms: Option<Sms>,
    status: Option<String>,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct File {
    url: Option<String>,
    caption: Option<String>,
}

/// One of several things in a message.
#[derive(Deserialize)]
struct Content {
    #[serde(rename = "type")]
    kind: Option<String>,
    text: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Sms {
    num_messages: Option<Code>,
}

#[derive(Deserialize)]
struct Fault {
    /// Its fragment is the code.
    #[serde(rename = "type")]
    kind: Option<String>,
    title: Option<Code>,
}

impl Fault {
    fn code(&self) -> Option<&str> {
        let fragment = self.kind.as_deref().and_then(|kind| Some(kind.rsplit_once('#')?.1));
        let title = self.title.as_ref().map(|title| title.0.as_str());
        fragment.or(title.filter(|title| title.bytes().all(|b| b.is_ascii_digit())))
    }
}

pub(super) fn verify_and_parse(
    credentials: &VonageCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    verify::post_only(delivery)?;
    let value = verify::proof(delivery, header::AUTHORIZATION.as_str())?;
    let (scheme, bearer) = value.split_once(' ').ok_or(Rejection::SignatureInvalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Rejection::SignatureInvalid);
    }
    let claims = token::verify(bearer.trim(), &credentials.signature_secret, delivery.received_at)?;
    let hash = claims.payload_hash.and_then(|hash| hex::decode(hash).ok()).unwrap_or_default();
    if !bool::from(Sha256::digest(delivery.body).as_slice().ct_eq(&hash)) {
        return Err(Rejection::SignatureInvalid);
    }
    let other = |claim: &Option<String>, ours: &str| claim.as_deref().is_some_and(|claim| claim != ours);
    let ours = credentials.application_id.as_deref();
    if other(&claims.api_key, &credentials.api_key)
        || ours.is_some_and(|ours| other(&claims.application_id, ours))
    {
        return Err(Rejection::WrongAccount);
    }
    let issued = claims.iat.and_then(|iat| iat.checked_mul(1_000_000)).ok_or(Rejection::Stale)?;
    verify::fresh(delivery, Timestamp::from_micros(issued), TOLERANCE)?;

    let event: Event = json::read(delivery.body)?;
    if event.status.is_some() {
        return Ok(Inbound { messages: Vec::new(), receipts: receipt(event)?.into_iter().collect() });
    }
    Ok(Inbound { messages: vec![message(event)?], receipts: Vec::new() })
}

fn message(event: Event) -> Result<InboundMessage, Malformed> {
    let id = message_id("message_uuid", &required("message_uuid", event.message_uuid)?)?;
    let from = address("from", &required("from", event.from)?)?;
    let to = address("to", &required("to", event.to)?)?;
    let mut texts: Vec<String> = event.text.into_iter().collect();
    let mut media = Vec::new();
    for file in [event.image, event.audio, event.video, event.file, event.vcard].into_iter().flatten() {
        texts.extend(file.caption);
        media.extend(file.url);
    }
    for content in event.content {
        if content.kind.as_deref() == Some("text") {
            texts.extend(content.text);
        } else {
            media.extend(content.url);
        }
    }
    if texts.is_empty() && media.is_empty() {
        return Err(if event.message_type.is_some() { Malformed::Missing("text") } else { Malformed::Json });
    }
    let media = media.into_iter().map(|url| Ok(MediaRef { url: text(url)?, content_type: None }));
    Ok(InboundMessage {
        media: media.collect::<Result<_, Malformed>>()?,
        segments: event.sms.and_then(|sms| sms.num_messages?.0.parse().ok()),
        at: json::moment(event.timestamp.as_deref()),
        ..InboundMessage::new(id, from, to, text(texts.join("\n"))?)
    })
}

fn receipt(event: Event) -> Result<Option<Receipt>, Malformed> {
    let carrier_message_id = message_id("message_uuid", &required("message_uuid", event.message_uuid)?)?;
    let Some(state) = event.status.as_deref().and_then(state) else { return Ok(None) };
    let failure = codes(Api::Messages).failure(state, event.error.as_ref().and_then(Fault::code));
    let at = json::moment(event.timestamp.as_deref());
    Ok(Some(Receipt { carrier_message_id, state, failure, at }))
}

#[derive(Serialize)]
struct Request<'a> {
    message_type: &'a str,
    channel: &'a str,
    to: &'a str,
    from: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Image<'a>>,
    client_ref: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    webhook_url: &'a str,
}

#[derive(Serialize)]
struct Image<'a> {
    url: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    caption: &'a str,
}

#[derive(Deserialize)]
struct Accepted {
    message_uuid: String,
}

/// `POST /v1/messages`.
pub(super) async fn send(
    http: &Client,
    credentials: &VonageCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    let image = match text.media_urls.as_slice() {
        [] => None,
        [url] => Some(Image { url, caption: &text.body }),
        _ => return Err(codes(Api::Messages).explain("one_file").into()),
    };
    let plain = image.is_none();
    let request = Request {
        message_type: if plain { "text" } else { "image" },
        channel: if plain { "sms" } else { "mms" },
        to: digits(text.to.as_str()),
        from: digits(text.from.as_str()),
        text: plain.then_some(text.body.as_str()),
        image,
        client_ref: text.our_id.to_string(),
        webhook_url: &text.status_callback,
    };
    let post = http.post(credentials.api_base_url.join("/v1/messages")).json(&request);
    let token = match (&credentials.private_key, &credentials.application_id) {
        (Some(key), Some(application)) => {
            // Unique for each attempt.
            let jti = format!("{}-{}", text.our_id, text.at.micros());
            Some(token::sign(key, application, &jti, text.at).ok_or(SendError::Connect)?)
        }
        _ => None,
    };
    let post = match token {
        Some(token) => post.bearer_auth(token),
        None => post.basic_auth(&credentials.api_key, Some(credentials.api_secret.expose())),
    };
    let body = client::answer(post.send().await, refusal).await?;
    let Accepted { message_uuid } = client::accepted(&body)?;
    Ok(Sent { carrier_message_id: message_uuid, state: ReceiptState::Queued, failure: None })
}

fn refusal(status: StatusCode, body: &[u8]) -> SendError {
    let fault = serde_json::from_slice::<Fault>(body).ok();
    codes(Api::Messages).refusal(status, fault.as_ref().and_then(Fault::code)).into()
}
