//! Twilio: webhooks signed with HMAC-SHA1, a form-encoded REST API.
//!
//! <https://www.twilio.com/docs/usage/security>, <https://www.twilio.com/docs/messaging/guides/webhook-request>,
//! <https://www.twilio.com/docs/messaging/api/message-resource>.

use anteroom_model::time::Timestamp;
use http::StatusCode;
use serde::{Deserialize, Deserializer, de};

use crate::{
    Address, Answer, Delivery, Endpoint, Inbound, InboundMessage, Malformed, MediaRef, OptOutType, Receipt,
    ReceiptState, Rejection, Secret,
    codes::CodeTable,
    credentials::BaseUrl,
    form::Params,
    inbound::{address, message_id},
    media::{Access, Proof},
    rotation::Rotating,
};

pub(crate) mod api;
pub(crate) mod codes;
pub(crate) mod list;
pub(crate) mod registration;
pub(crate) mod signature;

pub(crate) use api::{find_sent, send};
pub use codes::explain;
use signature::Scheme;
pub use signature::{SIGNATURE_HEADER, sign};

/// `TwiML` that says nothing. Twilio reports error 11200 for an empty body and 12300 for a missing type.
pub(crate) const ACCEPTED: Answer = Answer {
    status: StatusCode::OK,
    content_type: "text/xml",
    body: r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#,
};

/// Most files read from one message. Twilio sends at most ten.
const MOST_MEDIA: usize = 32;

/// A Twilio account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioCredentials {
    /// `AC…`.
    #[serde(deserialize_with = "sid")]
    pub account_sid: String,
    /// Signs webhooks and authenticates requests.
    pub auth_token: Rotating<Secret>,
    /// Tokens that webhooks may be signed with besides, without an end: those of `auth_token` have one.
    #[serde(default)]
    pub previous_auth_tokens: Vec<Secret>,
    /// Subaccounts that own some of the numbers: their webhooks are signed with their own tokens.
    #[serde(default)]
    pub subaccounts: Vec<TwilioSubaccount>,
    /// Default `https://api.twilio.com`.
    #[serde(default)]
    pub api_base_url: ApiBaseUrl,
    /// `MG…`: send within this Messaging Service; `From` still names the clinic's number.
    #[serde(default, deserialize_with = "optional_sid")]
    pub messaging_service_sid: Option<String>,
    /// Where registrations are read; default `https://messaging.twilio.com`, or `api_base_url` where that is
    /// given: what stands in for Twilio's API stands in for all of it.
    #[serde(default)]
    pub messaging_api_base_url: Option<BaseUrl>,
}

/// A subaccount of a [`TwilioCredentials`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwilioSubaccount {
    /// `AC…`.
    #[serde(deserialize_with = "sid")]
    pub account_sid: String,
    /// As for the account.
    pub auth_token: Rotating<Secret>,
    /// As for the account.
    #[serde(default)]
    pub previous_auth_tokens: Vec<Secret>,
    /// Numbers that it owns: texts from them are sent through it. All others go through the account.
    #[serde(default)]
    pub numbers: Vec<Address>,
    /// As for the account.
    #[serde(default, deserialize_with = "optional_sid")]
    pub messaging_service_sid: Option<String>,
}

/// Where Twilio's API is.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct ApiBaseUrl(BaseUrl);

impl Default for ApiBaseUrl {
    fn default() -> Self {
        Self(BaseUrl::parse("https://api.twilio.com").expect("a constant"))
    }
}

impl TwilioCredentials {
    /// How its webhooks are signed, at `at`.
    fn scheme(&self, at: Timestamp) -> Scheme<'_> {
        let own = (&self.account_sid, &self.auth_token, &self.previous_auth_tokens);
        let subs = self.subaccounts.iter().map(|a| (&a.account_sid, &a.auth_token, &a.previous_auth_tokens));
        let accounts = std::iter::once(own).chain(subs);
        let accounts = accounts
            .map(|(sid, token, previous)| (sid.as_str(), token.accepted(at).chain(previous).collect()));
        Scheme { headers: &[SIGNATURE_HEADER], accounts: accounts.collect(), signs_json: false }
    }
}

/// Media are at the API, under the account that owns them, and are redirected from there to where they are kept.
/// <https://www.twilio.com/docs/messaging/api/media-resource>.
pub(crate) fn media_access<'a>(credentials: &'a TwilioCredentials, address: &str) -> Access<'a> {
    let owns = |sub: &&TwilioSubaccount| address.contains(&format!("/Accounts/{}/", sub.account_sid));
    let proof = match credentials.subaccounts.iter().find(owns) {
        Some(sub) => Proof::Basic(&sub.account_sid, &sub.auth_token),
        None => Proof::Basic(&credentials.account_sid, &credentials.auth_token),
    };
    Access { proof, api: Some(&credentials.api_base_url.0), hosts: &[] }
}

pub(crate) fn sid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let sid = String::deserialize(deserializer)?;
    // It becomes part of a URL's path.
    if sid.is_empty() || sid.len() > 64 || !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(de::Error::custom("expected a SID of letters and digits"));
    }
    Ok(sid)
}

fn optional_sid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    struct Sid(#[serde(deserialize_with = "sid")] String);
    Ok(Option::<Sid>::deserialize(deserializer)?.map(|sid| sid.0))
}

pub(crate) fn verify_and_parse(
    credentials: &TwilioCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    let params = signature::verify(&credentials.scheme(delivery.received_at), delivery)?;
    Ok(parse(&params, delivery.endpoint, &codes::TABLE)?)
}

/// Reads the parameters of either webhook.
pub(crate) fn parse(params: &Params, endpoint: Endpoint, codes: &CodeTable) -> Result<Inbound, Malformed> {
    Ok(match endpoint {
        Endpoint::Messages => Inbound { messages: vec![message(params)?], receipts: Vec::new() },
        Endpoint::Status => {
            Inbound { messages: Vec::new(), receipts: receipt(params, codes)?.into_iter().collect() }
        }
    })
}

/// The id, by its present name or one of the older two.
fn carrier_message_id(params: &Params) -> Result<String, Malformed> {
    let old = params.filled("SmsMessageSid").or_else(|| params.filled("SmsSid"));
    match (params.filled("MessageSid"), old) {
        (Some(sid), _) | (None, Some(sid)) => message_id("MessageSid", sid),
        (None, None) => Err(Malformed::Missing("MessageSid")),
    }
}

fn message(params: &Params) -> Result<InboundMessage, Malformed> {
    let media = media(params);
    let body = match params.first("Body") {
        Some(body) => body.to_owned(),
        None if media.is_empty() => return Err(Malformed::Missing("Body")),
        None => String::new(),
    };
    let id = carrier_message_id(params)?;
    let from = address("From", params.required("From")?)?;
    let to = address("To", params.required("To")?)?;
    Ok(InboundMessage {
        media,
        opt_out_type: params.first("OptOutType").and_then(opt_out_type),
        segments: params.first("NumSegments").and_then(|count| count.parse().ok()),
        carrier_account: params.filled("AccountSid").map(Into::into),
        ..InboundMessage::new(id, from, to, body)
    })
}

/// `MediaUrl0`, `MediaUrl1`, … as far as they go.
fn media(params: &Params) -> Vec<MediaRef> {
    (0..MOST_MEDIA)
        .map_while(|at| {
            let url = params.filled(&format!("MediaUrl{at}"))?.to_owned();
            let content_type = params.filled(&format!("MediaContentType{at}")).map(Into::into);
            Some(MediaRef { url, content_type })
        })
        .collect()
}

fn opt_out_type(word: &str) -> Option<OptOutType> {
    match word {
        "STOP" => Some(OptOutType::Stop),
        "START" => Some(OptOutType::Start),
        "HELP" => Some(OptOutType::Help),
        _ => None,
    }
}

/// `None` for a status that says nothing of a text we sent, or none that is known.
fn receipt(params: &Params, codes: &CodeTable) -> Result<Option<Receipt>, Malformed> {
    let carrier_message_id = carrier_message_id(params)?;
    let status = match params.filled("MessageStatus") {
        Some(status) => status,
        None => params.filled("SmsStatus").ok_or(Malformed::Missing("MessageStatus"))?,
    };
    let Some(state) = state(status) else { return Ok(None) };
    let failure = codes.failure(state, params.first("ErrorCode"));
    Ok(Some(Receipt { carrier_message_id, state, failure, at: None }))
}

/// Twilio's message states. `None` for those of inbound messages and for words that are new.
fn state(status: &str) -> Option<ReceiptState> {
    match status {
        "accepted" | "scheduled" | "queued" | "sending" => Some(ReceiptState::Queued),
        "sent" => Some(ReceiptState::Sent),
        "delivered" | "read" | "partially_delivered" => Some(ReceiptState::Delivered),
        "undelivered" | "failed" | "canceled" => Some(ReceiptState::Failed),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
