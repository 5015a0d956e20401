//! Vonage: the Messages API, whose webhooks carry a JSON Web Token, and the older SMS API, whose webhooks
//! carry `sig`.
//!
//! <https://developer.vonage.com/en/getting-started/concepts/webhooks>,
//! <https://developer.vonage.com/en/getting-started/concepts/signing-messages>. An account speaks one of the
//! two, as it says itself, and one signature method: a request has no say in either. Addresses go without
//! their `+`.

use std::{fmt, sync::Arc};

use anteroom_model::time::Timestamp;
use reqwest::Client;
use ring::signature::RsaKeyPair;
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde::{Deserialize, Deserializer, de};

use crate::{
    Delivery,
    FailureKind::{Account, Landline, OptedOut, Other, Spam, Unreachable, Unregistered},
    FindError, FoundMessage, Inbound, OutboundText, ReceiptState, Rejection, Secret, SendError, Sent,
    SentQuery, client,
    codes::{CodeTable, words},
    credentials::BaseUrl,
    identifier, json,
    media::{Access, Proof},
    rotation::Rotating,
};

pub(crate) mod list;
mod messages;
mod sms;
mod token;

pub use sms::SignatureMethod;

/// A Vonage account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VonageCredentials {
    /// Eight characters.
    #[serde(deserialize_with = "identifier::read")]
    pub api_key: String,
    /// Authenticates requests, unless `private_key` does.
    pub api_secret: Secret,
    /// From the dashboard's *API settings*: signs webhooks.
    pub signature_secret: Rotating<Secret>,
    /// Which API the numbers are set up for; default `messages`.
    #[serde(default)]
    pub api: Api,
    /// Of the SMS API's webhooks, as the dashboard says; default `sha256`.
    #[serde(default)]
    pub signature_method: SignatureMethod,
    /// A UUID: the application of the Messages API; webhooks of others are refused.
    #[serde(default, deserialize_with = "identifier::optional")]
    pub application_id: Option<String>,
    /// The application's, PEM: sends are then signed with it (RS256).
    #[serde(default)]
    pub private_key: Option<ApplicationKey>,
    /// Default `https://api.nexmo.com`.
    #[serde(default = "default_base")]
    pub api_base_url: BaseUrl,
    /// Of the SMS API; default `https://rest.nexmo.com`.
    #[serde(default = "default_rest_base")]
    pub rest_base_url: BaseUrl,
}

/// Which of Vonage's two APIs an account uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    /// The present one: JSON, tokens, pictures.
    #[default]
    Messages,
    /// The older one: texts only, long ones come in pieces.
    Sms,
}

fn default_base() -> BaseUrl {
    BaseUrl::constant("https://api.nexmo.com")
}

fn default_rest_base() -> BaseUrl {
    BaseUrl::constant("https://rest.nexmo.com")
}

/// An application's RSA key.
#[derive(Clone)]
pub struct ApplicationKey(Arc<RsaKeyPair>);

impl fmt::Debug for ApplicationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApplicationKey(…)")
    }
}

impl<'de> Deserialize<'de> for ApplicationKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pem = String::deserialize(deserializer)?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).ok();
        let key = der.and_then(|der| RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok());
        key.map(|key| Self(Arc::new(key)))
            .ok_or_else(|| de::Error::custom("expected an RSA private key in PKCS#8 PEM"))
    }
}

pub(crate) fn verify_and_parse(
    credentials: &VonageCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    match credentials.api {
        Api::Messages => messages::verify_and_parse(credentials, delivery),
        Api::Sms => sms::verify_and_parse(credentials, delivery),
    }
}

/// Files are at the region's API (`api-us-1.nexmo.com`, …), for the application or the account.
pub(crate) fn media_access(credentials: &VonageCredentials, at: Timestamp) -> Access<'_> {
    let token = match (&credentials.private_key, &credentials.application_id) {
        (Some(key), Some(application)) => {
            token::sign(key, application, &format!("media-{}", at.micros()), at)
        }
        _ => None,
    };
    let proof = match token {
        Some(token) => Proof::Token("Bearer", Secret::new(token)),
        None => Proof::Basic(&credentials.api_key, &credentials.api_secret),
    };
    Access { proof, api: Some(&credentials.api_base_url), hosts: &[".nexmo.com", ".vonage.com"] }
}

pub(crate) async fn send(
    http: &Client,
    credentials: &VonageCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    match credentials.api {
        Api::Messages => messages::send(http, credentials, text).await,
        Api::Sms => sms::send(http, credentials, text).await,
    }
}

/// `GET /account/get-balance`: reads, changes nothing.
pub(crate) fn probe(http: &Client, credentials: &VonageCredentials) -> reqwest::RequestBuilder {
    http.get(credentials.rest_base_url.join("/account/get-balance"))
        .basic_auth(&credentials.api_key, Some(credentials.api_secret.expose()))
}

#[derive(Deserialize)]
struct Records {
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    message_id: Option<String>,
    client_ref: Option<String>,
    status: Option<String>,
    error_code: Option<json::Code>,
    date_received: Option<String>,
}

/// `GET /v2/reports/records`, by our id. Vonage sells its Reports API apart; without it this is refused.
pub(crate) async fn find_sent(
    http: &Client,
    credentials: &VonageCredentials,
    query: &SentQuery,
) -> Result<Vec<FoundMessage>, FindError> {
    let reference = query.our_id.to_string();
    let since = query.since.to_jiff().strftime("%Y-%m-%dT%H:%M:%S+0000").to_string();
    let wanted = [
        ("account_id", credentials.api_key.as_str()),
        ("product", if credentials.api == Api::Sms { "SMS" } else { "MESSAGES" }),
        ("direction", "outbound"),
        ("to", digits(query.to.as_str())),
        ("date_start", &since),
    ];
    let request = http
        .get(credentials.api_base_url.join("/v2/reports/records"))
        .query(&wanted)
        .basic_auth(&credentials.api_key, Some(credentials.api_secret.expose()));
    let Records { records } = client::list(request.send().await).await?;
    let ours = records.into_iter().filter(|record| record.client_ref.as_ref() == Some(&reference));
    let found = ours.map(|record| {
        let state = record.status.as_deref().and_then(state).unwrap_or(ReceiptState::Queued);
        let code = record.error_code.as_ref().map(|code| code.0.as_str());
        Ok(FoundMessage {
            carrier_message_id: record.message_id.ok_or(FindError::Malformed)?,
            state,
            failure: codes(credentials.api).failure(state, code),
            created: json::moment(record.date_received.as_deref()).ok_or(FindError::Malformed)?,
        })
    });
    found.collect()
}

/// Both APIs' words. `None` for those that are new.
fn state(status: &str) -> Option<ReceiptState> {
    match status {
        "submitted" | "buffered" => Some(ReceiptState::Queued),
        "accepted" => Some(ReceiptState::Sent),
        "delivered" | "read" => Some(ReceiptState::Delivered),
        "rejected" | "undeliverable" | "failed" | "expired" | "deleted" => Some(ReceiptState::Failed),
        _ => None,
    }
}

/// Vonage's numbers have no `+`.
fn digits(address: &str) -> &str {
    address.trim_start_matches('+')
}

const fn codes(api: Api) -> &'static CodeTable {
    match api {
        Api::Messages => &MESSAGES_CODES,
        Api::Sms => &SMS_CODES,
    }
}

/// <https://developer.vonage.com/en/api-errors/messages>.
pub(crate) const MESSAGES_CODES: CodeTable = CodeTable {
    carrier: "Vonage",
    rows: &[
        (
            &["1480", "1050"],
            OptedOut,
            "The patient has opted out of texts from this number. They must text START before they can be texted again.",
        ),
        (
            &["1170", "1240", "1250", "1260"],
            Unreachable,
            "The patient's number is not valid, unknown, or can't be routed to.",
        ),
        (&["1180", "1190", "1310", "1320"], Unreachable, words::OUT_OF_REACH),
        (&["1160"], Unreachable, "Vonage can't deliver to the patient's country or network."),
        (&["1200", "1220", "1300", "1340"], Unreachable, words::NOT_DELIVERED),
        (&["1210", "1290"], Spam, words::FILTERED),
        (&["1460", "1470"], Unregistered, words::UNREGISTERED),
        (
            &["1060", "1070", "1080", "1330", "http_401", "http_402"],
            Account,
            "The Vonage account is blocked, or out of credit. An administrator must check the carrier account.",
        ),
        (
            &["1120", "1150", "http_403"],
            Account,
            "The clinic's number can't send texts through this Vonage account.",
        ),
        (&["1000"], Other, "Too many texts at once for the clinic's number."),
        (&["1010", "1020", "1030", "1040", "1130", "http_422"], Other, "Vonage could not read the message."),
        (&["1090"], Other, "The message is too long."),
        (&["one_file"], Other, "Vonage sends one picture a message."),
        (&["1100", "1110"], Other, "Vonage had a fault. Try again later."),
    ],
};

/// <https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms>, `err-code` of receipts; codes
/// of refusals begin with `status_`.
pub(crate) const SMS_CODES: CodeTable = CodeTable {
    carrier: "Vonage",
    rows: &[
        (
            &["9"],
            OptedOut,
            "The patient has opted out of texts from this number, or the number is not valid.",
        ),
        (&["2", "3", "7"], Unreachable, words::OUT_OF_REACH),
        (&["4", "14"], Unreachable, "The patient's phone or carrier blocks messages from this number."),
        (
            &["5", "8", "11", "12"],
            Unreachable,
            "The patient's number can't be routed to, or its network had a fault.",
        ),
        (&["13"], Unreachable, "The patient's line does not take texts of this kind."),
        (&["10"], Landline, words::LANDLINE),
        (&["6"], Spam, words::FILTERED),
        (&["39", "41"], Unregistered, words::UNREGISTERED),
        (
            &["15", "status_4", "status_8", "status_9", "status_10", "status_11", "status_14", "status_101"],
            Account,
            "The Vonage account is blocked, out of credit, or its credentials are wrong. An administrator must check the carrier account.",
        ),
        (
            &["16", "status_15", "status_29"],
            Account,
            "The clinic's number can't send texts through this Vonage account.",
        ),
        (&["status_7", "status_33"], Unreachable, "The patient's number is blocked or not valid at Vonage."),
        (&["status_2", "status_3", "status_6", "status_12"], Other, "Vonage could not read the message."),
        (&["1", "99", "status_5"], Other, "Vonage could not deliver the message and gave no reason."),
    ],
};

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_well_formed() {
        crate::codes::check(&super::MESSAGES_CODES);
        crate::codes::check(&super::SMS_CODES);
    }
}
