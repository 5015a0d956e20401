//! AWS End User Messaging: inbound texts and events through SNS, sends by the `PinpointSMSVoiceV2` API.
//!
//! <https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html>,
//! <https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html>. The number's
//! two-way topic calls the one webhook, the configuration set's event destination the other (or both the
//! same). SNS asks once to be confirmed; that is answered only for topics that the account names.

use http::header;
use reqwest::Client;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    Delivery, FindError, FoundMessage, Inbound, InboundMessage, Malformed, OutboundText, Receipt,
    ReceiptState, Rejection, Secret, SendError, Sent, SentQuery, client,
    credentials::BaseUrl,
    identifier,
    inbound::{address, message_id, text},
    json::{self, required},
    media::Access,
};

mod certificates;
pub(crate) mod codes;
pub(crate) mod registration;
mod sigv4;
pub(crate) mod sns;

pub use certificates::Certificates;
use codes::CODES;

/// Nothing comes with its texts.
pub(crate) const MEDIA_ACCESS: Access<'static> = Access::PLAIN;

/// What an account is allowed to do with AWS, and which topics it listens to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AwsCredentials {
    /// `AKIA…`: of a user that may `sms-voice:SendTextMessage` and nothing else.
    #[serde(deserialize_with = "identifier::read")]
    pub access_key_id: String,
    /// Signs requests.
    pub secret_access_key: Secret,
    /// `us-east-1`: where the numbers are.
    #[serde(deserialize_with = "identifier::read")]
    pub region: String,
    /// `arn:aws:sns:…`: the topics whose messages are taken; all others are refused.
    pub topic_arns: Vec<TopicArn>,
    /// The topics' attribute `SignatureVersion`; default `"2"` (SHA-256).
    #[serde(default)]
    pub signature_version: SignatureVersion,
    /// Its event destination is where receipts come from.
    #[serde(default, deserialize_with = "identifier::optional")]
    pub configuration_set_name: Option<String>,
    /// Default `https://sms-voice.{region}.amazonaws.com`.
    #[serde(default)]
    pub api_base_url: Option<BaseUrl>,
}

/// `arn:aws:sns:{region}:{account}:{name}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicArn(String);

impl TopicArn {
    /// The region that signs for it.
    fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for TopicArn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let arn = String::deserialize(deserializer)?;
        let parts: Vec<_> = arn.split(':').collect();
        let plain = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        let topic = matches!(parts[..], ["arn", _, "sns", _, _, _]) && parts.iter().all(|part| plain(part));
        if topic { Ok(Self(arn)) } else { Err(de::Error::custom("expected the ARN of an SNS topic")) }
    }
}

/// How a topic signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum SignatureVersion {
    /// RSA with SHA-1: what topics do unless told otherwise.
    #[serde(rename = "1")]
    Sha1,
    /// RSA with SHA-256.
    #[default]
    #[serde(rename = "2")]
    Sha256,
}

/// The `Message` of an inbound text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TwoWay {
    origination_number: Option<String>,
    destination_number: Option<String>,
    message_body: Option<String>,
    inbound_message_id: Option<String>,
}

/// The `Message` of an event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "eventType")]
    kind: Option<String>,
    /// Milliseconds since 1970.
    #[serde(rename = "eventTimestamp")]
    at: Option<i64>,
    message_id: Option<String>,
}

/// Either of the two, told apart by `eventType`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe {
    event_type: Option<serde::de::IgnoredAny>,
}

/// What a genuine notification says.
pub(crate) fn parse(notification: &str) -> Result<Inbound, Malformed> {
    let Probe { event_type } = json::read(notification.as_bytes())?;
    if event_type.is_none() {
        return Ok(Inbound {
            messages: vec![message(json::read(notification.as_bytes())?)?],
            receipts: Vec::new(),
        });
    }
    let receipts = receipt(json::read(notification.as_bytes())?)?.into_iter().collect();
    Ok(Inbound { messages: Vec::new(), receipts })
}

fn message(message: TwoWay) -> Result<InboundMessage, Malformed> {
    let id = required("inboundMessageId", message.inbound_message_id)?;
    let from = required("originationNumber", message.origination_number)?;
    let to = required("destinationNumber", message.destination_number)?;
    let body = text(message.message_body.ok_or(Malformed::Missing("messageBody"))?)?;
    Ok(InboundMessage::new(
        message_id("inboundMessageId", &id)?,
        address("originationNumber", &from)?,
        address("destinationNumber", &to)?,
        body,
    ))
}

fn receipt(event: Event) -> Result<Option<Receipt>, Malformed> {
    let carrier_message_id = message_id("messageId", &required("messageId", event.message_id)?)?;
    let kind = required("eventType", event.kind)?;
    let Some(state) = state(&kind) else { return Ok(None) };
    let at = event.at.and_then(|millis| millis.checked_mul(1_000));
    let failure = CODES.failure(state, Some(word(&kind)));
    let at = at.map(anteroom_model::time::Timestamp::from_micros);
    Ok(Some(Receipt { carrier_message_id, state, failure, at }))
}

/// The event without its channel: `TEXT_SPAM` and `MEDIA_SPAM` are the same to staff.
fn word(kind: &str) -> &str {
    kind.strip_prefix("TEXT_").or_else(|| kind.strip_prefix("MEDIA_")).unwrap_or(kind)
}

/// By the service's `EventType`. `None` for other channels and for words that are new.
fn state(kind: &str) -> Option<ReceiptState> {
    if word(kind) == kind {
        return None;
    }
    match word(kind) {
        "QUEUED" | "PENDING" => Some(ReceiptState::Queued),
        // Taken by the carrier, which will tell no more.
        "SENT" | "SUCCESSFUL" | "UNKNOWN" => Some(ReceiptState::Sent),
        "DELIVERED" => Some(ReceiptState::Delivered),
        "INVALID"
        | "INVALID_MESSAGE"
        | "UNREACHABLE"
        | "CARRIER_UNREACHABLE"
        | "BLOCKED"
        | "CARRIER_BLOCKED"
        | "SPAM"
        | "TTL_EXPIRED"
        | "PROTECT_BLOCKED"
        | "FILE_INACCESSIBLE"
        | "FILE_TYPE_UNSUPPORTED"
        | "FILE_SIZE_EXCEEDED" => Some(ReceiptState::Failed),
        _ => None,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Request<'a> {
    destination_phone_number: &'a str,
    origination_identity: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message_body: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_type: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    media_urls: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration_set_name: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Accepted {
    message_id: String,
}

/// `SendTextMessage`, or `SendMediaMessage` with pictures.
pub(crate) async fn send(
    http: &Client,
    credentials: &AwsCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    let plain = text.media_urls.is_empty();
    let request = Request {
        destination_phone_number: text.to.as_str(),
        origination_identity: text.from.as_str(),
        message_body: &text.body,
        message_type: plain.then_some("TRANSACTIONAL"),
        media_urls: &text.media_urls,
        configuration_set_name: credentials.configuration_set_name.as_deref(),
    };
    let operation = if plain { "SendTextMessage" } else { "SendMediaMessage" };
    let body = serde_json::to_vec(&request).map_err(|_| SendError::Connect)?;
    let request = self::request(http, credentials, operation, body, text.at).ok_or(SendError::Connect)?;
    let response = request.send().await;
    let body = client::answer(response, codes::refusal).await?;
    let Accepted { message_id } = client::accepted(&body)?;
    Ok(Sent { carrier_message_id: message_id, state: ReceiptState::Queued, failure: None })
}

/// A signed call of `operation`. `None`: the region makes no address.
fn request(
    http: &Client,
    credentials: &AwsCredentials,
    operation: &str,
    body: Vec<u8>,
    at: anteroom_model::time::Timestamp,
) -> Option<reqwest::RequestBuilder> {
    let target = format!("PinpointSMSVoiceV2.{operation}");
    let base = match &credentials.api_base_url {
        Some(base) => base.clone(),
        // China's and other partitions' domains are a setting.
        None => BaseUrl::parse(&format!("https://sms-voice.{}.amazonaws.com", credentials.region))?,
    };
    let signed = sigv4::sign(credentials, base.authority(), &target, &body, at);
    let request = http
        .post(base.join("/"))
        .header(header::CONTENT_TYPE, sigv4::CONTENT_TYPE)
        .header("X-Amz-Target", target)
        .header("X-Amz-Date", signed.date)
        .header(header::AUTHORIZATION, signed.authorization);
    Some(request.body(body))
}

/// AWS lists no texts.
pub(crate) const fn find_sent(_query: &SentQuery) -> Result<Vec<FoundMessage>, FindError> {
    Err(FindError::NotOffered)
}

/// Checks a delivery whose certificate is known.
pub(crate) fn verify_and_parse(
    credentials: &AwsCredentials,
    certificates: &Certificates,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    let envelope = sns::read(credentials, delivery)?;
    let key = certificates.known(&envelope, delivery.received_at).ok_or(Rejection::KeyUnavailable)?;
    let envelope = envelope.verify(credentials, delivery, &key)?;
    Ok(if envelope.is_notification() { parse(envelope.message())? } else { Inbound::default() })
}

/// Checks a delivery, fetching the certificate where it isn't known, and confirms a subscription that the
/// account's own topic asks to be confirmed.
pub(crate) async fn receive(
    http: &Client,
    credentials: &AwsCredentials,
    certificates: &Certificates,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    let envelope = sns::read(credentials, delivery)?;
    let key = match certificates.known(&envelope, delivery.received_at) {
        Some(key) => key,
        None => certificates.fetch(http, &envelope, delivery.received_at).await?,
    };
    let envelope = envelope.verify(credentials, delivery, &key)?;
    if envelope.is_notification() {
        return Ok(parse(envelope.message())?);
    }
    if let Some(url) = envelope.confirmation_url()? {
        // SNS asks again if this fails.
        let answer = http.get(url).send().await.map_err(|error| {
            client::log_cause(error);
            Rejection::KeyUnavailable
        })?;
        if !answer.status().is_success() {
            return Err(Rejection::KeyUnavailable);
        }
        tracing::info!("an SNS subscription was confirmed");
    }
    Ok(Inbound::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_every_type() {
        for (kind, expected) in [
            ("TEXT_QUEUED", Some(ReceiptState::Queued)),
            ("TEXT_PENDING", Some(ReceiptState::Queued)),
            ("TEXT_SENT", Some(ReceiptState::Sent)),
            ("TEXT_SUCCESSFUL", Some(ReceiptState::Sent)),
            ("MEDIA_DELIVERED", Some(ReceiptState::Delivered)),
            ("TEXT_CARRIER_BLOCKED", Some(ReceiptState::Failed)),
            ("VOICE_COMPLETED", None),
            ("DELIVERED", None),
            ("TEXT_SOMETHING_NEW", None),
        ] {
            assert_eq!(state(kind), expected, "{kind}");
        }
    }

    #[test]
    fn topics_are_arns() {
        let read = |arn: &str| serde_json::from_value::<TopicArn>(arn.into());
        assert_eq!(read("arn:aws:sns:us-east-1:123456789012:in_bound").unwrap().region(), "us-east-1");
        for bad in [
            "",
            "arn:aws:sqs:us-east-1:1:x",
            "arn:aws:sns:us-east-1:1",
            "arn:aws:sns:a/b:1:x",
            "arn:aws:sns::1:x",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
