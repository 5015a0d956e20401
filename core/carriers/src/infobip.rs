//! Infobip: JSON webhooks behind Basic credentials, a JSON API.
//!
//! <https://www.infobip.com/docs/api/channels/sms>. Nothing is signed: the notification profile's Basic
//! credentials (or a client certificate, which a proxy checks) are all that proves who calls. One call may
//! bring several messages or receipts. Our id is the message id, so a text in doubt is looked up by it.

use http::{StatusCode, header};
use reqwest::Client;
use serde::{Deserialize, Serialize};

use crate::{
    Delivery, Failure,
    FailureKind::{Account, Landline, OptedOut, Other, Spam, Unreachable, Unregistered},
    FindError, FoundMessage, Inbound, InboundMessage, Malformed, OutboundText, Receipt, ReceiptState,
    Rejection, Secret, SendError, Sent, SentQuery, client,
    codes::{CodeTable, words},
    credentials::BaseUrl,
    inbound::{address, message_id, text},
    json::{self, required},
    media::{Access, Proof},
    rotation::Rotating,
    verify,
};

/// An Infobip account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfobipCredentials {
    /// Authenticates requests.
    pub api_key: Secret,
    /// The account's own: `https://xxxxx.api.infobip.com`.
    pub base_url: BaseUrl,
    /// What the notification profile's webhooks name themselves.
    pub webhook_username: String,
    /// And how they prove it.
    pub webhook_password: Rotating<Secret>,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Item>,
}

/// A message (`from`, `receivedAt`) or a receipt (`status`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    message_id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    text: Option<String>,
    received_at: Option<String>,
    sms_count: Option<u32>,
    status: Option<Status>,
    error: Option<Fault>,
    done_at: Option<String>,
    sent_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    group_name: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Fault {
    id: Option<i64>,
    name: Option<String>,
}

pub(crate) fn verify_and_parse(
    credentials: &InfobipCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    verify::post_only(delivery)?;
    verify::basic(delivery, &credentials.webhook_username, &credentials.webhook_password)?;
    let Results { results } = json::read(delivery.body)?;
    let mut inbound = Inbound::default();
    for item in results {
        if item.status.is_some() {
            inbound.receipts.extend(receipt(&item)?);
        } else {
            inbound.messages.push(message(item)?);
        }
    }
    Ok(inbound)
}

fn message(item: Item) -> Result<InboundMessage, Malformed> {
    let id = message_id("messageId", &required("messageId", item.message_id)?)?;
    let from = address("from", &required("from", item.from)?)?;
    let to = address("to", &required("to", item.to)?)?;
    let body = text(item.text.ok_or(Malformed::Missing("text"))?)?;
    let at = moment(item.received_at.as_deref());
    Ok(InboundMessage { segments: item.sms_count, at, ..InboundMessage::new(id, from, to, body) })
}

/// `2026-11-22T10:00:00.000+0000`, the offset without its colon.
fn moment(text: Option<&str>) -> Option<anteroom_model::time::Timestamp> {
    let text = text?;
    let colon = text.len().checked_sub(2).filter(|at| text.is_char_boundary(*at))?;
    json::moment(Some(text)).or_else(|| json::moment(Some(&format!("{}:{}", &text[..colon], &text[colon..]))))
}

fn receipt(item: &Item) -> Result<Option<Receipt>, Malformed> {
    let id = item.message_id.as_deref().ok_or(Malformed::Missing("messageId"))?;
    let carrier_message_id = message_id("messageId", id)?;
    let Some(state) = item.status.as_ref().and_then(state) else { return Ok(None) };
    let at = moment(item.done_at.as_deref().or(item.sent_at.as_deref()));
    Ok(Some(Receipt { carrier_message_id, state, failure: failure(state, item), at }))
}

fn failure(state: ReceiptState, item: &Item) -> Option<Failure> {
    let status = item.status.as_ref().and_then(|status| status.name.as_deref());
    // Its id 0 is `NO_ERROR`.
    let error = item.error.as_ref().filter(|error| error.id != Some(0));
    CODES.failure(state, error.and_then(|error| error.name.as_deref()).or(status))
}

/// By the status's group. `DELIVERED_TO_OPERATOR`, though in the group DELIVERED, is not the handset's word.
fn state(status: &Status) -> Option<ReceiptState> {
    match (status.group_name.as_deref()?, status.name.as_deref()) {
        ("DELIVERED", Some("DELIVERED_TO_OPERATOR")) => Some(ReceiptState::Sent),
        ("DELIVERED", _) => Some(ReceiptState::Delivered),
        ("ACCEPTED" | "PENDING", _) => Some(ReceiptState::Queued),
        ("UNDELIVERABLE" | "EXPIRED" | "REJECTED", _) => Some(ReceiptState::Failed),
        _ => None,
    }
}

#[derive(Serialize)]
struct Request<'a> {
    messages: [Message<'a>; 1],
}

#[derive(Serialize)]
struct Message<'a> {
    sender: &'a str,
    destinations: [Destination<'a>; 1],
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhooks: Option<Webhooks<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Destination<'a> {
    to: &'a str,
    message_id: String,
}

#[derive(Serialize)]
struct Content<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Webhooks<'a> {
    delivery: Reporting<'a>,
    content_type: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reporting<'a> {
    url: &'a str,
    intermediate_report: bool,
}

#[derive(Deserialize)]
struct Accepted {
    messages: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    /// Of the newer API.
    error_code: Option<String>,
    /// Of the older one.
    request_error: Option<RequestError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestError {
    service_exception: Option<ServiceException>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServiceException {
    message_id: Option<String>,
}

/// Content of messages is at the account's own API, under its key.
pub(crate) fn media_access(credentials: &InfobipCredentials) -> Access<'_> {
    let proof = Proof::Token("App", credentials.api_key.clone());
    Access { proof, api: Some(&credentials.base_url), hosts: &[] }
}

/// `POST /sms/3/messages`.
pub(crate) async fn send(
    http: &Client,
    credentials: &InfobipCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    if !text.media_urls.is_empty() {
        return Err(Failure::no_media("Infobip").into());
    }
    let delivery = Reporting { url: &text.status_callback, intermediate_report: true };
    let webhooks = Webhooks { delivery, content_type: "application/json" };
    let request = Request {
        messages: [Message {
            sender: text.from.as_str().trim_start_matches('+'),
            destinations: [Destination {
                to: text.to.as_str().trim_start_matches('+'),
                message_id: text.our_id.to_string(),
            }],
            content: Content { text: &text.body },
            webhooks: (!text.status_callback.is_empty()).then_some(webhooks),
        }],
    };
    let response = http
        .post(credentials.base_url.join("/sms/3/messages"))
        .header(header::AUTHORIZATION, authorization(credentials))
        .json(&request)
        .send()
        .await;
    let body = client::answer(response, |status, body| refusal(status, body).into()).await?;
    let Accepted { messages } = client::accepted(&body)?;
    let item = messages.into_iter().next().ok_or(SendError::Ambiguous)?;
    let state = item.status.as_ref().and_then(state).unwrap_or(ReceiptState::Queued);
    // Refused in the body of a 200: never taken.
    if let Some(failure) = failure(state, &item) {
        return Err(failure.into());
    }
    let carrier_message_id = item.message_id.unwrap_or_else(|| text.our_id.to_string());
    Ok(Sent { carrier_message_id, state, failure: None })
}

fn authorization(credentials: &InfobipCredentials) -> String {
    format!("App {}", credentials.api_key.expose())
}

/// `GET /account/1/balance`: reads, changes nothing.
pub(crate) fn probe(http: &Client, credentials: &InfobipCredentials) -> reqwest::RequestBuilder {
    http.get(credentials.base_url.join("/account/1/balance"))
        .header(header::AUTHORIZATION, authorization(credentials))
}

fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let code = serde_json::from_slice::<Refusal>(body).ok().and_then(|refusal| {
        let old = refusal.request_error.and_then(|error| error.service_exception?.message_id);
        refusal.error_code.or(old)
    });
    CODES.refusal(status, code.as_deref())
}

#[derive(Deserialize)]
struct Logs {
    results: Vec<Item>,
}

/// `GET /sms/3/logs`, by our id.
pub(crate) async fn find_sent(
    http: &Client,
    credentials: &InfobipCredentials,
    query: &SentQuery,
) -> Result<Vec<FoundMessage>, FindError> {
    let our_id = query.our_id.to_string();
    let request = http
        .get(credentials.base_url.join("/sms/3/logs"))
        .query(&[("messageId", our_id.as_str())])
        .header(header::AUTHORIZATION, authorization(credentials));
    let Logs { results } = client::list(request.send().await).await?;
    let ours = results.into_iter().filter(|item| item.message_id.as_ref() == Some(&our_id));
    let found = ours.map(|item| {
        let state = item.status.as_ref().and_then(state).unwrap_or(ReceiptState::Queued);
        Ok(FoundMessage {
            failure: failure(state, &item),
            created: moment(item.sent_at.as_deref()).ok_or(FindError::Malformed)?,
            carrier_message_id: our_id.clone(),
            state,
        })
    });
    found.collect()
}

/// <https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes>.
pub(crate) const CODES: CodeTable = CodeTable {
    carrier: "Infobip",
    rows: &[
        (
            &[
                "REJECTED_DESTINATION_BLACKLISTED",
                "REJECTED_BLACKLISTED",
                "EC_DESTINATION_IN_BLACKLIST",
                "EC_USER_OPTED_OUT",
            ],
            OptedOut,
            words::OPTED_OUT,
        ),
        (
            &[
                "EC_UNKNOWN_SUBSCRIBER",
                "EC_UNIDENTIFIED_SUBSCRIBER",
                "EC_INVALID_DESTINATION_ADDRESS",
                "REJECTED_DESTINATION",
                "REJECTED_INVALID_DESTINATION",
                "REJECTED_PREFIX_MISSING",
                "REJECTED_NETWORK",
                "REJECTED_ROUTE_NOT_AVAILABLE",
            ],
            Unreachable,
            "The patient's number is not valid, unknown, or can't be routed to.",
        ),
        (
            &[
                "EC_ABSENT_SUBSCRIBER",
                "EC_ABSENT_SUBSCRIBER_SM",
                "EC_SUBSCRIBER_BUSY_FOR_MT_SMS",
                "EC_IMSI_DETACHED",
            ],
            Unreachable,
            words::OUT_OF_REACH,
        ),
        (
            &["UNDELIVERABLE_NOT_DELIVERED", "UNDELIVERABLE_REJECTED_OPERATOR", "EC_SM_DELIVERY_FAILURE"],
            Unreachable,
            "The patient's carrier did not deliver the message and gave no reason.",
        ),
        (&["EXPIRED_EXPIRED", "EXPIRED_DLR_UNKNOWN", "EC_MESSAGE_EXPIRED"], Unreachable, words::TOO_LATE),
        (
            &["EC_TELESERVICE_NOT_PROVISIONED", "EC_FACILITY_NOT_SUPPORTED", "EC_EQUIPMENT_NOT_SM_EQUIPPED"],
            Landline,
            words::LANDLINE,
        ),
        (
            &[
                "EC_MESSAGE_FILTERED",
                "EC_SPAM",
                "REJECTED_FLOODING_FILTER",
                "EC_CALL_BARRED",
                "REJECTED_SOURCE",
            ],
            Spam,
            words::FILTERED,
        ),
        (
            &["EC_CAMPAIGN_NOT_REGISTERED", "REJECTED_SENDER_NOT_REGISTERED", "EC_SENDER_NOT_REGISTERED"],
            Unregistered,
            "The clinic's number is not registered for business texting, so carriers block its texts.",
        ),
        (
            &["REJECTED_NOT_ENOUGH_CREDITS", "REJECTED_SYSTEM_ERROR", "UNAUTHORIZED", "E401", "E403"],
            Account,
            "Infobip refused the account's credentials, or it is out of credit. An administrator must check the carrier account.",
        ),
        (
            &[
                "REJECTED_SENDER",
                "REJECTED_NO_ROUTE",
                "REJECTED_NOT_ALLOWED_SENDER",
                "EC_INVALID_SOURCE_ADDRESS",
            ],
            Account,
            "The clinic's number can't send texts through this Infobip account.",
        ),
        (&["BAD_REQUEST", "E400", "REJECTED_INVALID_PDU"], Other, "Infobip could not read the message."),
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
    fn moments_have_offsets_without_colons() {
        for text in ["2026-11-22T10:00:00.000+0000", "2026-11-22T11:00:00.000+01:00", "2026-11-22T10:00:00Z"]
        {
            assert_eq!(moment(Some(text)).unwrap().to_string(), "2026-11-22T10:00:00.000000Z", "{text}");
        }
        assert_eq!((moment(None), moment(Some("é")), moment(Some(""))), (None, None, None));
    }
}
