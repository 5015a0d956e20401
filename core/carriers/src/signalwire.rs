//! SignalWire's compatibility API: Twilio's webhooks and REST under other names.
//!
//! <https://developer.signalwire.com/compatibility-api>. Webhooks carry `X-SignalWire-Signature` (or, as an
//! alias, `X-Twilio-Signature`) under the project's *signing key*, not its API token: form bodies exactly as
//! Twilio's, JSON bodies as hex HMAC-SHA1 of the URL and the body. No moment is signed: replays are
//! recognised by `MessageSid`.

use anteroom_model::time::Timestamp;
use reqwest::Client;
use serde::Deserialize;

use crate::{
    Delivery,
    FailureKind::{Account, Landline, OptedOut, Other, Spam, Unreachable, Unregistered},
    FindError, FoundMessage, Inbound, OutboundText, Rejection, Secret, SendError, Sent, SentQuery,
    codes::{CodeTable, words},
    credentials::BaseUrl,
    identifier,
    media::{Access, Proof},
    rotation::Rotating,
    twilio::{
        self,
        api::Sender,
        signature::{self, Scheme},
    },
};

/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "X-SignalWire-Signature";

/// Under which all of the compatibility API lives.
const VERSION: &str = "/api/laml/2010-04-01/";

/// A SignalWire project.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalWireCredentials {
    /// A UUID; the compatibility API calls it `AccountSid`.
    #[serde(deserialize_with = "identifier::read")]
    pub project_id: String,
    /// `PT…`: authenticates requests.
    pub api_token: Secret,
    /// `PSK_…`: signs webhooks.
    pub signing_key: Rotating<Secret>,
    /// `https://example.signalwire.com`.
    pub space_url: BaseUrl,
}

impl SignalWireCredentials {
    fn scheme(&self, at: Timestamp) -> Scheme<'_> {
        let accounts = vec![(self.project_id.as_str(), self.signing_key.accepted(at).collect())];
        Scheme { headers: &[SIGNATURE_HEADER, twilio::SIGNATURE_HEADER], accounts, signs_json: true }
    }

    fn sender(&self) -> Sender<'_> {
        Sender {
            base: &self.space_url,
            version: VERSION,
            account_sid: &self.project_id,
            auth_token: &self.api_token,
            messaging_service_sid: None,
            codes: &CODES,
        }
    }
}

pub(crate) fn verify_and_parse(
    credentials: &SignalWireCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    let params = signature::verify(&credentials.scheme(delivery.received_at), delivery)?;
    Ok(twilio::parse(&params, delivery.endpoint, &CODES)?)
}

/// As Twilio's, at the space.
pub(crate) fn media_access(credentials: &SignalWireCredentials) -> Access<'_> {
    let proof = Proof::Basic(&credentials.project_id, &credentials.api_token);
    Access { proof, api: Some(&credentials.space_url), hosts: &[] }
}

pub(crate) async fn send(
    http: &Client,
    credentials: &SignalWireCredentials,
    text: &OutboundText,
) -> Result<Sent, SendError> {
    twilio::api::send_as(http, &credentials.sender(), text).await
}

/// `GET` of the project: reads, changes nothing.
pub(crate) fn probe(http: &Client, credentials: &SignalWireCredentials) -> reqwest::RequestBuilder {
    twilio::registration::probe(http, &credentials.sender())
}

pub(crate) async fn find_sent(
    http: &Client,
    credentials: &SignalWireCredentials,
    query: &SentQuery,
) -> Result<Vec<FoundMessage>, FindError> {
    twilio::api::find_as(http, &credentials.sender(), query).await
}

/// <https://developer.signalwire.com/compatibility-api/guides/general/error-codes>.
pub(crate) const CODES: CodeTable = CodeTable {
    carrier: "SignalWire",
    rows: &[
        (&["21610"], OptedOut, words::OPTED_OUT),
        (&["21211", "21217", "21401"], Unreachable, words::NO_NUMBER),
        (
            &["21612", "21408"],
            Unreachable,
            "SignalWire can't deliver from this number to the patient's number or country.",
        ),
        (&["30003"], Unreachable, words::OUT_OF_REACH),
        (&["30004"], Unreachable, "The patient's phone or carrier blocks messages from this number."),
        (&["30005"], Unreachable, "The patient's number is unknown or no longer in service."),
        (&["30008"], Unreachable, "The patient's carrier did not deliver the message and gave no reason."),
        (&["21614"], Landline, words::LANDLINE),
        (&["30006"], Landline, "The patient's number is a landline, or its carrier can't be reached."),
        (&["30007"], Spam, words::FILTERED),
        (
            &["30022", "30023", "30027"],
            Spam,
            "The clinic's number has sent as much as carriers allow for today.",
        ),
        (&["30034", "30035", "21717"], Unregistered, words::UNREGISTERED),
        (&["30032"], Unregistered, words::UNVERIFIED),
        (
            &["20003"],
            Account,
            "SignalWire refused the project's credentials. An administrator must check the carrier account.",
        ),
        (
            &["30002"],
            Account,
            "The SignalWire project is not active. An administrator must check the carrier account.",
        ),
        (
            &["21603", "21606", "21212"],
            Account,
            "The clinic's number can't send texts through this SignalWire project.",
        ),
        (&["21602"], Other, "The message is empty."),
        (&["21617", "21605"], Other, "The message is too long: SignalWire takes at most 1,600 characters."),
        (&["30001"], Other, "SignalWire's queue for the clinic's number is full. Try again later."),
    ],
};

#[cfg(test)]
mod tests {
    #[test]
    fn codes_are_well_formed() {
        crate::codes::check(&super::CODES);
    }
}
