//! Whether a carrier takes an account's credentials: one authenticated request that reads and changes nothing.

use anteroom_model::time::Timestamp;
use http::StatusCode;
use reqwest::{Client, RequestBuilder};

use crate::{
    Credentials, aws, bandwidth, client, infobip, plivo, registration::CheckError, signalwire, sinch,
    smpp::Links, telnyx, twilio, vonage,
};

/// How a carrier was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probed {
    /// It took the credentials.
    Accepted,
    /// Nothing was asked over the network: the sandbox, whose carrier is this program.
    Nothing,
    /// A link's state, which is what its credentials lead to.
    Link {
        /// Whether this process holds it and it is bound.
        bound: bool,
    },
}

/// Asks once. A refusal is [`CheckError::Refused`].
pub(crate) async fn probe(
    http: &Client,
    links: &Links,
    credentials: &Credentials,
    at: Timestamp,
) -> Result<Probed, CheckError> {
    let request: Option<RequestBuilder> = match credentials {
        Credentials::Twilio(account) => Some(twilio::registration::probe_account(http, account)),
        Credentials::SignalWire(account) => Some(signalwire::probe(http, account)),
        Credentials::Telnyx(account) => Some(telnyx::registration::probe(http, account)),
        Credentials::Bandwidth(account) => Some(bandwidth::probe(http, account)),
        Credentials::Plivo(account) => Some(plivo::probe(http, account)),
        Credentials::Vonage(account) => Some(vonage::probe(http, account)),
        Credentials::Sinch(account) => Some(sinch::probe(http, account)),
        Credentials::Infobip(account) => Some(infobip::probe(http, account)),
        Credentials::Aws(account) => aws::registration::probe(http, account, at),
        Credentials::Smpp(account) => return Ok(Probed::Link { bound: links.is_bound(account) }),
        Credentials::Sandbox(_) => return Ok(Probed::Nothing),
    };
    let response = request.ok_or(CheckError::Unreachable)?.send().await.map_err(|error| {
        client::log_cause(error);
        CheckError::Unreachable
    })?;
    match response.status() {
        StatusCode::OK => Ok(Probed::Accepted),
        status => {
            let retry_after = client::retry_after(response.headers());
            Err(CheckError::Refused { status: status.as_u16(), retry_after })
        }
    }
}
