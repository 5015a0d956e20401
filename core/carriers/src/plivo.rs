//! Plivo: form-encoded webhooks signed with HMAC-SHA256, a JSON API.
//!
//! <https://www.plivo.com/docs/messaging/concepts/signature-validation>. Two signatures are in use: V3
//! covers the address and every parameter, V2 (which Plivo documents for messages) only the address without
//! its query, and so nothing that a patient wrote. The account says which of the two it takes; the request
//! has no say. Neither holds a moment: replays are recognised by `MessageUUID`.

use std::time::Duration;

use http::StatusCode;
use reqwest::Client;
use serde::{Deserialize, Serialize};

use crate::{
    Delivery, Endpoint,
    FailureKind::{Account, Landline, OptedOut, Other, Spam, Unreachable, Unregistered},
    FindError, FoundMessage, Inbound, InboundMessage, Malformed, MediaRef, OptOutType, OutboundText, Receipt,
    ReceiptState, Rejection, Secret, SendError, Sent, SentQuery, client,
    codes::{CodeTable, words},
    credentials::BaseUrl,
    form::Params,
    identifier,
    inbound::{address, message_id},
    json::{self, Code},
    media::{Access, Proof},
    rotation::Rotating,
};

mod signature;

/// Most files read from one message.
const MOST_MEDIA: usize = 32;

/// A Plivo account or subaccount.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlivoCredentials {
    /// `MA…` or `SA…`.
    #[serde(deserialize_with = "identifier::read")]
    pub auth_id: String,
    /// Signs webhooks and authenticates requests.
    pub auth_token: Rotating<Secret>,
    /// Which signature webhooks must carry; default `v3`.
    #[serde(default)]
    pub signature_version: SignatureVersion,
    /// A UUID: send from this Powerpack's pool instead of the clinic's number.
    #[serde(default, deserialize_with = "identifier::optional")]
    pub powerpack_uuid: Option<String>,
    /// Default `https://api.plivo.com`.
    #[serde(default = "default_base")]
    pub api_base_url: BaseUrl,
}

/// The signature that an account's webhooks carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureVersion {
    /// `X-Plivo-Signature-V2`: covers the address only.
    V2,
    /// `X-Plivo-Signature-V3`: covers the address and all parameters.
    #[default]
    V3,
}

fn default_base() -> BaseUrl {
    BaseUrl::constant("https://api.plivo.com")
}

pub(crate) fn verify_and_parse(
    credentials: &PlivoCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    let params = signature::verify(credentials, delivery)?;
    Ok(match delivery.endpoint {
        Endpoint::Messages => Inbound { messages: vec![message(&params)?], receipts: Vec::new() },
        Endpoint::Status => {
            Inbound { messages: Vec::new(), receipts: receipt(&params)?.into_iter().collect() }
        }
    })
}

fn message(params: &Params) -> Result<InboundMessage, Malformed> {
    let media: Vec<_> = (0..MOST_MEDIA)
        .filter_map(|at| params.filled(&format!("Media{at}")))
        .map(|url| MediaRef { url: url.to_owned(), content_type: None })
        .collect();
    // A picture message's text is its `Body`.
    let body = match params.first("Text").or_else(|| params.first("Body")) {
        Some(body) => body.to_owned(),
        None if media.is_empty() => return Err(Malformed::Missing("Text")),
        None => String::new(),
    };
    let id = message_id("MessageUUID", params.required("MessageUUID")?)?;
    let from = address("From", params.required("From")?)?;
    let to = address("To", params.required("To")?)?;
    Ok(InboundMessage {
        media,
        opt_out_type: params.first("MessageIntent").and_then(intent),
        segments: params.first("Units").and_then(|units| units.parse().ok()),
        ..InboundMessage::new(id, from, to, body)
    })
}

fn intent(word: &str) -> Option<OptOutType> {
    match word.to_ascii_lowercase().as_str() {
        "optout" => Some(OptOutType::Stop),
        "optin" => Some(OptOutType::Start),
        "help" => Some(OptOutType::Help),
        _ => None,
    }
}

fn receipt(params: &Params) -> Result<Option<Receipt>, Malformed> {
    // The parts of a long text have ids of their own.
    let id = params.filled("ParentMessageUUID").map_or_else(|| params.required("MessageUUID"), Ok)?;
    let carrier_message_id = message_id("MessageUUID", id)?;
    let status = params.required("Status")?;
    let Some(state) = state(status) else { return Ok(None) };
    let failure = CODES.failure(state, params.filled("ErrorCode"));
    Ok(Some(Receipt { carrier_message_id, state, failure, at: None }))
}

/// `None` for the state of inbound messages and for words that are new.
fn state(status: &str) -> Option<ReceiptState> {
    match status {
        "queued" => Some(ReceiptState::Queued),
        "sent" => Some(ReceiptState::Sent),
        "delivered" | "read" => Some(ReceiptState::Delivered),
        "undelivered" | "failed" | "rejected" => Some(ReceiptState::Failed),
        _ => None,
    }
}

#[derive(Serialize)]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    src: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    powerpack_uuid: Option<&'a str>,
    dst: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    media_urls: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'a str,
    method: &'a str,
    /// Whether Plivo's own logs keep the text and the number; they need not.
    log: &'a str,
}

#[derive(Deserialize)]
struct Accepted {
    message_uuid: Vec<String>,
}

#[derive(Deserialize)]
struct Refusal {
    error_code: Option<Code>,
    error: Option<String>,
}

/// Media are at the API; whether it asks who fetches them is a setting of the account.
pub(crate) fn media_access(credentials: &PlivoCredentials) -> Access<'_> {
    let proof = Proof::Basic(&credentials.auth_id, &credentials.auth_token);
    Access { proof, api: Some(&credentials.api_base_url), hosts: &["media.plivo.com"] }
}

/// `POST /v1/Account/{auth_id}/Message/`.
pub(crate) async fn send(
    http: &Client,
    credentials: &PlivoCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    let powerpack_uuid = credentials.powerpack_uuid.as_deref();
    let request = Request {
        src: powerpack_uuid.is_none().then_some(text.from.as_str()),
        powerpack_uuid,
        dst: text.to.as_str(),
        kind: if text.media_urls.is_empty() { "sms" } else { "mms" },
        text: &text.body,
        media_urls: &text.media_urls,
        url: &text.status_callback,
        method: "POST",
        log: "false",
    };
    let response = http
        .post(messages(credentials))
        .basic_auth(&credentials.auth_id, Some(credentials.auth_token.expose()))
        .json(&request)
        .send()
        .await;
    let body = client::answer(response, refusal).await?;
    let Accepted { message_uuid } = client::accepted(&body)?;
    let carrier_message_id = message_uuid.into_iter().next().ok_or(SendError::Ambiguous)?;
    Ok(Sent { carrier_message_id, state: ReceiptState::Queued, failure: None })
}

fn messages(credentials: &PlivoCredentials) -> String {
    credentials.api_base_url.join(&format!("/v1/Account/{}/Message/", credentials.auth_id))
}

/// Plivo mostly says what is wrong in words, which repeat the number: only these are looked for.
fn refusal(status: StatusCode, body: &[u8]) -> SendError {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else { return CODES.http(status).into() };
    let words = refusal.error.unwrap_or_default().to_ascii_lowercase();
    let code = match refusal.error_code {
        Some(code) => code.0,
        None if words.contains("opted out") || words.contains("opt-out") => "200".into(),
        None if words.contains("dst") => "invalid_dst".into(),
        None if words.contains("src") => "invalid_src".into(),
        None => String::new(),
    };
    CODES.refusal(status, Some(&code)).into()
}

#[derive(Deserialize)]
struct Page {
    objects: Vec<Listed>,
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    next: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    message_uuid: String,
    message_state: Option<String>,
    message_time: Option<String>,
    error_code: Option<Code>,
}

/// Texts that a page holds, and the pages read.
const PAGE_SIZE: usize = 20;
const MOST_PAGES: usize = 10;

/// `GET /v1/Account/{auth_id}/Message/`: it tells no texts, so every text between the two since then is
/// found. Whoever asks leaves out the ids it knows.
pub(crate) async fn find_sent(
    http: &Client,
    credentials: &PlivoCredentials,
    query: &SentQuery,
) -> Result<Vec<FoundMessage>, FindError> {
    let since = query.since.minus(Duration::from_secs(1));
    let since_text = since.to_jiff().strftime("%Y-%m-%d %H:%M:%S").to_string();
    let mut found = Vec::new();
    for page in 0..MOST_PAGES {
        let offset = (page * PAGE_SIZE).to_string();
        let wanted = [
            ("message_direction", "outbound"),
            ("from_number", query.from.as_str().trim_start_matches('+')),
            ("to_number", query.to.as_str().trim_start_matches('+')),
            ("message_time__gte", &since_text),
            ("limit", "20"),
            ("offset", &offset),
        ];
        let request = http
            .get(messages(credentials))
            .query(&wanted)
            .basic_auth(&credentials.auth_id, Some(credentials.auth_token.expose()));
        let page: Page = client::list(request.send().await).await?;
        for listed in page.objects {
            let created = listed.message_time.as_deref().map(|time| time.replacen(' ', "T", 1));
            let created = json::moment(created.as_deref()).ok_or(FindError::Malformed)?;
            let state = listed.message_state.as_deref().and_then(state).unwrap_or(ReceiptState::Queued);
            let failure = CODES.failure(state, listed.error_code.as_ref().map(|code| code.0.as_str()));
            if created >= since {
                found.push(FoundMessage { carrier_message_id: listed.message_uuid, state, failure, created });
            }
        }
        if page.meta.next.is_none() {
            found.sort_by_key(|message| message.created);
            return Ok(found);
        }
    }
    Err(FindError::TooLong)
}

/// <https://www.plivo.com/docs/messaging/troubleshooting/error-codes>.
pub(crate) const CODES: CodeTable = CodeTable {
    carrier: "Plivo",
    rows: &[
        (&["200"], OptedOut, words::OPTED_OUT),
        (&["40", "50", "invalid_dst", "420"], Unreachable, words::NO_NUMBER),
        (&["20", "80", "90"], Unreachable, words::OUT_OF_REACH),
        (&["60"], Spam, words::FILTERED),
        (&["30", "70"], Spam, "The patient's carrier blocks messages from the clinic's number."),
        (&["160", "440"], Landline, words::LANDLINE),
        (&["450", "451", "452"], Unreachable, "Plivo can't deliver to the patient's country or network."),
        (&["950", "951", "952"], Unregistered, words::UNREGISTERED),
        (&["910", "920"], Unregistered, words::UNVERIFIED),
        (&["960", "970"], Spam, "The clinic's number has sent as much as carriers allow for today."),
        (
            &["10", "100", "110", "http_401"],
            Account,
            "The Plivo account is not active, or out of credit. An administrator must check the carrier account.",
        ),
        (
            &["invalid_src", "430", "900"],
            Account,
            "The clinic's number can't send texts through this Plivo account.",
        ),
        (&["300", "1000"], Other, "Plivo could not deliver the message and gave no reason."),
        (&["120"], Other, "The message is too long."),
        (&["130"], Unreachable, words::TOO_LATE),
        (&["140"], Other, "Plivo's queue for the clinic's number is full. Try again later."),
    ],
};

/// `GET` of the account: reads, changes nothing.
pub(crate) fn probe(http: &Client, credentials: &PlivoCredentials) -> reqwest::RequestBuilder {
    http.get(credentials.api_base_url.join(&format!("/v1/Account/{}/", credentials.auth_id)))
        .basic_auth(&credentials.auth_id, Some(credentials.auth_token.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;

    #[test]
    fn codes_are_well_formed() {
        crate::codes::check(&CODES);
    }

    #[test]
    fn refusals_are_read_without_their_words() {
        for (body, code, kind) in [
            (&br#"{"error":"15558675310 is not a valid dst"}"#[..], "invalid_dst", Unreachable),
            (br#"{"error":"recipient 15558675310 has opted out"}"#, "200", OptedOut),
            (br#"{"error":"?"}"#, "http_400", FailureKind::Other),
            (b"<html>", "http_400", FailureKind::Other),
        ] {
            let SendError::Rejected(failure) = refusal(StatusCode::BAD_REQUEST, body) else { panic!() };
            assert_eq!((failure.code.as_str(), failure.kind), (code, kind));
            assert!(!format!("{failure:?}").contains("867"));
        }
    }
}
