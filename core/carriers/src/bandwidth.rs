//! Bandwidth: JSON webhooks behind Basic credentials, a JSON API.
//!
//! <https://dev.bandwidth.com/docs/messaging/webhooks>. Nothing is signed: the application's callback
//! credentials are all that proves who calls, so its address has to be https. Each call is an array of
//! events; a group's message gives one event per number of ours that it went to. Messages and receipts may
//! share an address.

use std::time::Duration;

use anteroom_model::{registration::PartState, states::RegistrationPart, time::Timestamp};
use http::StatusCode;
use reqwest::Client;
use serde::{Deserialize, Serialize};

use crate::{
    Delivery, Failure,
    FailureKind::{Account, Landline, OptedOut, Other, Spam, Unreachable, Unregistered},
    FindError, FoundMessage, Inbound, InboundMessage, Malformed, MediaRef, OutboundText, Receipt,
    ReceiptState, Rejection, Secret, SendError, Sent, SentQuery, client,
    codes::{CodeTable, words},
    credentials::BaseUrl,
    identifier,
    inbound::{address, message_id, text},
    json::{self, Code, required},
    media::{Access, Proof},
    registration::{self, CheckError, RegistrationQuery, part},
    rotation::Rotating,
    verify,
};

pub(crate) mod list;

/// A Bandwidth account with one messaging application.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandwidthCredentials {
    /// Digits.
    #[serde(deserialize_with = "identifier::read")]
    pub account_id: String,
    /// A UUID: the messaging application that the numbers belong to.
    #[serde(deserialize_with = "identifier::read")]
    pub application_id: String,
    /// Of the API user.
    pub username: String,
    /// Of the API user.
    pub password: Secret,
    /// *Callback user ID* of the application: what webhooks name themselves.
    pub callback_user_id: String,
    /// *Callback password* of the application.
    pub callback_password: Rotating<Secret>,
    /// Default `https://messaging.bandwidth.com/api/v2`.
    #[serde(default = "default_base")]
    pub api_base_url: BaseUrl,
    /// Where toll-free verifications are read; default `https://api.bandwidth.com/api/v2`, or `api_base_url`
    /// where that is given.
    #[serde(default)]
    pub numbers_api_base_url: Option<BaseUrl>,
}

fn default_base() -> BaseUrl {
    BaseUrl::constant("https://messaging.bandwidth.com/api/v2")
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    time: Option<String>,
    /// The addressee that this event is about.
    to: Option<String>,
    #[serde(rename = "errorCode")]
    error_code: Option<Code>,
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    id: Option<String>,
    application_id: Option<String>,
    from: Option<String>,
    /// All addressees.
    #[serde(default)]
    to: Vec<String>,
    text: Option<String>,
    media: Option<Vec<String>>,
    segment_count: Option<u32>,
    time: Option<String>,
}

pub(crate) fn verify_and_parse(
    credentials: &BandwidthCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    verify::post_only(delivery)?;
    verify::basic(delivery, &credentials.callback_user_id, &credentials.callback_password)?;
    let events: Vec<Event> = json::read(delivery.body)?;
    // All of another application's numbers are another account's here.
    let ours = |event: &Event| {
        event.message.application_id.as_deref().is_none_or(|id| id == credentials.application_id)
    };
    if !events.iter().all(ours) {
        return Err(Rejection::WrongAccount);
    }
    let mut inbound = Inbound::default();
    for event in events {
        if event.kind == "message-received" {
            inbound.messages.push(message(event)?);
        } else {
            inbound.receipts.extend(receipt(&event)?);
        }
    }
    Ok(inbound)
}

fn message(event: Event) -> Result<InboundMessage, Malformed> {
    let message = event.message;
    let to = required("to", event.to)?;
    // A group's message comes once for each of our numbers, always under the same id.
    let place = message.to.iter().position(|other| *other == to).filter(|_| message.to.len() > 1);
    let id = required("id", message.id)?;
    let id = message_id("id", &place.map_or_else(|| id.clone(), |place| format!("{id}/{}", place + 1)))?;
    let from = address("from", &required("from", message.from)?)?;
    let to = address("to", &to)?;
    let media = message.media.unwrap_or_default().into_iter();
    let media = media
        .map(|url| Ok(MediaRef { url: text(url)?, content_type: None }))
        .collect::<Result<Vec<_>, Malformed>>()?;
    let body = match message.text {
        Some(body) => text(body)?,
        None if media.is_empty() => return Err(Malformed::Missing("text")),
        None => String::new(),
    };
    let at = json::moment(message.time.as_deref().or(event.time.as_deref()));
    Ok(InboundMessage {
        media,
        segments: message.segment_count,
        carrier_account: message.application_id,
        at,
        ..InboundMessage::new(id, from, to, body)
    })
}

/// `None` for events that say nothing of a text's way.
fn receipt(event: &Event) -> Result<Option<Receipt>, Malformed> {
    let state = match event.kind.as_str() {
        "message-sending" => ReceiptState::Queued,
        "message-sent" => ReceiptState::Sent,
        "message-delivered" | "message-read" => ReceiptState::Delivered,
        "message-failed" => ReceiptState::Failed,
        _ => return Ok(None),
    };
    let id = event.message.id.as_deref().ok_or(Malformed::Missing("id"))?;
    let failure = CODES.failure(state, event.error_code.as_ref().map(|code| code.0.as_str()));
    let at = json::moment(event.time.as_deref());
    Ok(Some(Receipt { carrier_message_id: message_id("id", id)?, state, failure, at }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    application_id: &'a str,
    to: [&'a str; 1],
    from: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    media: &'a [String],
    /// Comes back with each event.
    tag: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    status: Option<String>,
    internal_ticket_number: Option<String>,
    decline_reason_description: Option<String>,
    #[serde(default)]
    blocked: bool,
    blocked_reason: Option<String>,
}

/// `GET …/phoneNumbers/{number}/tollFreeVerification`; 10DLC campaigns have no API of messaging accounts.
pub(crate) async fn registration(
    http: &Client,
    credentials: &BandwidthCredentials,
    query: &RegistrationQuery<'_>,
) -> Result<Vec<PartState>, CheckError> {
    let base = registration::base(
        credentials.numbers_api_base_url.as_ref(),
        &credentials.api_base_url,
        &default_base(),
        "https://api.bandwidth.com/api/v2",
    );
    let number = registration::escaped(query.number);
    let path = format!("/accounts/{}/phoneNumbers/{number}/tollFreeVerification", credentials.account_id);
    let request =
        http.get(base.join(&path)).basic_auth(&credentials.username, Some(credentials.password.expose()));
    let found: Option<Verification> = registration::read(request.send().await).await?;
    let said = found.map(|found| {
        let (state, reason) = if found.blocked {
            (Some("BLOCKED".to_owned()), found.blocked_reason)
        } else {
            (found.status, found.decline_reason_description)
        };
        (state, reason, found.internal_ticket_number)
    });
    let (state, reason, reference) = said.unwrap_or_default();
    Ok(vec![part(RegistrationPart::TollFree, state, reason, reference)])
}

/// `GET …/media`: reads, changes nothing, and needs the API user.
pub(crate) fn probe(http: &Client, credentials: &BandwidthCredentials) -> reqwest::RequestBuilder {
    let path = format!("/users/{}/media", credentials.account_id);
    http.get(credentials.api_base_url.join(&path))
        .basic_auth(&credentials.username, Some(credentials.password.expose()))
}

#[derive(Deserialize)]
struct Accepted {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    field_errors: Vec<FieldError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FieldError {
    field_name: Option<String>,
}

/// Media are at the messaging API, for its user: <https://dev.bandwidth.com/docs/messaging/media>.
pub(crate) fn media_access(credentials: &BandwidthCredentials) -> Access<'_> {
    let proof = Proof::Basic(&credentials.username, &credentials.password);
    Access { proof, api: Some(&credentials.api_base_url), hosts: &[] }
}

/// `POST /users/{account}/messages`.
pub(crate) async fn send(
    http: &Client,
    credentials: &BandwidthCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    let request = Request {
        application_id: &credentials.application_id,
        to: [text.to.as_str()],
        from: text.from.as_str(),
        text: &text.body,
        media: &text.media_urls,
        tag: text.our_id.to_string(),
    };
    let response = http
        .post(messages(credentials))
        .basic_auth(&credentials.username, Some(credentials.password.expose()))
        .json(&request)
        .send()
        .await;
    let body = client::answer(response, |status, body| refusal(status, body).into()).await?;
    let Accepted { id } = client::accepted(&body)?;
    Ok(Sent { carrier_message_id: id, state: ReceiptState::Queued, failure: None })
}

fn messages(credentials: &BandwidthCredentials) -> String {
    credentials.api_base_url.join(&format!("/users/{}/messages", credentials.account_id))
}

/// Which field is wrong says what is; the descriptions repeat the numbers.
fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else { return CODES.http(status) };
    let field = refusal.field_errors.into_iter().find_map(|error| error.field_name);
    let field = field.map(|name| name.split(['[', '.']).next().unwrap_or_default().to_owned());
    match field.as_deref() {
        Some("to") => CODES.explain("invalid_to"),
        Some("from" | "applicationId") => CODES.explain("invalid_from"),
        _ => CODES.refusal(status, refusal.kind.as_deref()),
    }
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<Listed>,
    #[serde(rename = "pageInfo")]
    page_info: Option<PageInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    next_page: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    message_id: String,
    source_tn: Option<String>,
    destination_tn: Option<String>,
    message_direction: Option<String>,
    segment_count: Option<u32>,
    recipient_count: Option<u32>,
    message_status: Option<String>,
    message_length: Option<usize>,
    error_code: Option<Code>,
    receive_time: Option<String>,
}

/// `GET /users/{account}/messages`: it tells lengths, not texts, so a text is taken for found when one as
/// long went between the two since. Whoever asks leaves out the ids it knows.
pub(crate) async fn find_sent(
    http: &Client,
    credentials: &BandwidthCredentials,
    query: &SentQuery,
) -> Result<Vec<FoundMessage>, FindError> {
    // Its clock may differ from ours; whole seconds.
    let since = query.since.minus(Duration::from_secs(1));
    let since_text = since.to_jiff().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
    let wanted = [
        ("sourceTn", query.from.as_str()),
        ("destinationTn", query.to.as_str()),
        ("messageDirection", "OUTBOUND"),
        ("fromDateTime", &since_text),
        ("limit", "1000"),
    ];
    let request = http
        .get(messages(credentials))
        .query(&wanted)
        .basic_auth(&credentials.username, Some(credentials.password.expose()));
    let page: Page = client::list(request.send().await).await?;
    if page.page_info.is_some_and(|info| info.next_page.is_some_and(|next| !next.is_empty())) {
        return Err(FindError::TooLong);
    }
    let mut found = Vec::new();
    for listed in page.messages {
        let created: Timestamp = json::moment(listed.receive_time.as_deref()).ok_or(FindError::Malformed)?;
        let as_long = listed.message_length.is_none_or(|length| length == query.body.chars().count());
        if created >= since && as_long {
            let state = listed.message_status.as_deref().map_or(ReceiptState::Queued, listed_state);
            let failure = CODES.failure(state, listed.error_code.as_ref().map(|code| code.0.as_str()));
            found.push(FoundMessage { carrier_message_id: listed.message_id, state, failure, created });
        }
    }
    found.sort_by_key(|message| message.created);
    Ok(found)
}

fn listed_state(status: &str) -> ReceiptState {
    match status {
        "SENT" => ReceiptState::Sent,
        "DELIVERED" | "READ" => ReceiptState::Delivered,
        "FAILED" | "UNDELIVERED" => ReceiptState::Failed,
        _ => ReceiptState::Queued,
    }
}

/// <https://dev.bandwidth.com/docs/messaging/errors>, compared with it code by code.
pub(crate) const CODES: CodeTable = CodeTable {
    carrier: "Bandwidth",
    rows: &[
        (&["4775"], OptedOut, words::OPTED_OUT),
        (
            &["invalid_to", "4303", "4404", "4406", "4408", "4420", "4720", "4721", "4730", "5106"],
            Unreachable,
            "The patient's number is not a valid phone number, or can't be routed to.",
        ),
        (
            &["4401", "4421", "4432", "4434"],
            Unreachable,
            "Texts can't be sent to the patient's number: it is the clinic's own, toll-free, or abroad.",
        ),
        (
            &["4482", "4772", "4790"],
            Unreachable,
            "The patient's number is blocked for texts from this number.",
        ),
        (&["4750", "5500", "5501", "9999"], Unreachable, words::NOT_DELIVERED),
        (&["4701", "4702", "5650"], Unreachable, words::OUT_OF_REACH),
        (&["9902"], Unreachable, "The patient's carrier never said whether the message arrived."),
        (&["4700"], Landline, words::LANDLINE),
        (&["4470", "4770", "4771"], Spam, words::FILTERED),
        (&["4780", "4781", "4785"], Spam, "The clinic's number has sent as much as carriers allow for now."),
        (
            &["4773", "4774"],
            Unregistered,
            "The clinic's number is not registered for business texting (A2P 10DLC), or its campaign is not active.",
        ),
        (&["4795"], Unregistered, words::UNVERIFIED),
        (
            &["unauthorized", "forbidden", "4493"],
            Account,
            "Bandwidth refused the account's credentials. An administrator must check the carrier account.",
        ),
        (
            &[
                "invalid_from",
                "4302",
                "4403",
                "4405",
                "4407",
                "4431",
                "4433",
                "4451",
                "4452",
                "4740",
                "4791",
                "4792",
                "4793",
            ],
            Account,
            "The clinic's number can't send texts through this Bandwidth application.",
        ),
        (
            &["4481"],
            Account,
            "Bandwidth has blocked the clinic's number for sending. An administrator must ask Bandwidth why.",
        ),
        (
            &["4301", "4435", "4492", "4752", "request-validation"],
            Other,
            "Bandwidth could not read the message.",
        ),
        (&["4751"], Other, "The message is too long."),
        (
            &["4409", "4410", "4411", "4412", "4711", "4712"],
            Other,
            "The picture or file can't be sent: it is too large, of the wrong kind, or the patient's phone takes none.",
        ),
        (
            &["5100", "5101", "5111", "5201", "5211", "5220", "5231", "5600", "5610", "5620", "5630", "5999"],
            Other,
            "Bandwidth or the patient's carrier had a fault. Try again later.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_well_formed() {
        crate::codes::check(&CODES);
    }

    #[test]
    fn a_refusal_names_the_field_and_not_the_number() {
        let body = br#"{"type":"request-validation","description":"'to' +15558675310 is bad",
            "fieldErrors":[{"fieldName":"to[0]","description":"+15558675310 must be E.164"}]}"#;
        let failure = refusal(StatusCode::BAD_REQUEST, body);
        assert_eq!((failure.code.as_str(), failure.kind), ("invalid_to", Unreachable));
        assert!(!format!("{failure:?}").contains("867"));
        assert_eq!(refusal(StatusCode::UNAUTHORIZED, b"<html>").code, "http_401");
    }
}
