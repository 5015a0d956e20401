//! The one HTTP client of all carriers, and what its failures mean.

use std::{error::Error as _, time::Duration};

use anteroom_model::{registration::PartState, time::Timestamp};
use http::{HeaderMap, StatusCode, header};
use reqwest::{Client, ClientBuilder, NoProxy, Proxy, Response, redirect};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    CarrierKind, Certificates, CheckError, Credentials, Delivery, Failure, FindError, FoundMessage, Inbound,
    OutboundText, Probed, RegistrationQuery, Rejection, SendError, Sent, SentQuery, aws, bandwidth, infobip,
    media::{self, FetchError, Fetched, Fetcher},
    plivo,
    post::{PostConfig, PostError, Posted, Poster},
    probe, sandbox, signalwire, sinch, smpp, telnyx, twilio, vonage,
};

/// The longest wait a carrier may ask for; a broken header must not park a text for years.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// How the client reaches carriers.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// For name resolution, TCP and TLS together. Keep it below `total`: a time-out while connecting is
    /// known to have sent nothing.
    pub connect: Duration,
    /// For a request as a whole, its answer included.
    pub total: Duration,
    /// An HTTP proxy for everything but this machine. The environment's `HTTPS_PROXY` is not obeyed:
    /// where patients' texts go is configured, not inherited.
    pub proxy: Option<Url>,
    /// Origins that files are fetched from although they are not on the public internet, or not `https`: fakes on
    /// this machine. Without them, none is.
    pub media_origins: Vec<Url>,
    /// How programs are told things.
    pub posts: PostConfig,
}

impl Default for ClientConfig {
    /// 3 s and 10 s, no proxy, files from the public internet only.
    fn default() -> Self {
        let (connect, total) = (Duration::from_secs(3), Duration::from_secs(10));
        Self { connect, total, proxy: None, media_origins: Vec::new(), posts: PostConfig::default() }
    }
}

/// The HTTP client could not be set up: a proxy that is none, or no TLS.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client can't be set up")]
pub struct ClientError(#[source] reqwest::Error);

/// Sends texts through whichever carrier an account belongs to. Cheap to clone; one per process.
#[derive(Clone, Debug)]
pub struct Carriers {
    http: Client,
    certificates: Certificates,
    links: smpp::Links,
    fetcher: Fetcher,
    poster: Poster,
}

impl Carriers {
    /// Sets up the client. The program must have installed a rustls provider before.
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        let (http, trust_nobody) = match builder(config)?.build() {
            Ok(http) => (http, false),
            // A machine without root certificates can still run the sandbox.
            Err(error) => {
                log_cause(error);
                tracing::error!("no root certificates: install ca-certificates to reach carriers");
                (builder(config)?.tls_certs_only([]).build().map_err(ClientError)?, true)
            }
        };
        let fetcher = Fetcher::new(&config.media_origins, trust_nobody).map_err(ClientError)?;
        let poster = Poster::new(&config.posts, trust_nobody).map_err(ClientError)?;
        let (certificates, links) = (Certificates::default(), smpp::Links::default());
        Ok(Self { http, certificates, links, fetcher, poster })
    }

    /// Checks that `delivery` comes from the account's carrier and reads it.
    ///
    /// Only AWS's may have to wait: for a signing certificate that is not known yet.
    pub async fn receive(
        &self,
        credentials: &Credentials,
        delivery: &Delivery<'_>,
    ) -> Result<Inbound, Rejection> {
        match credentials {
            Credentials::Aws(account) => {
                aws::receive(&self.http, account, &self.certificates, delivery).await
            }
            _ => crate::verify_and_parse(credentials, delivery, &self.certificates),
        }
    }

    /// Fetches a file that came with a text of the account's, of at most `limit` bytes, from the `address` that the
    /// text named. `at` is now.
    pub async fn fetch_media(
        &self,
        credentials: &Credentials,
        address: &str,
        limit: usize,
        at: Timestamp,
    ) -> Result<Fetched, FetchError> {
        self.fetcher.fetch(&media::access(credentials, address, at), address, limit).await
    }

    /// What is wrong with an address that a program of an organization is to be told things at.
    pub fn check_post(&self, url: &Url) -> Result<(), PostError> {
        self.poster.check(url)
    }

    /// Tells a program of an organization something, once.
    pub async fn post(&self, url: &Url, headers: HeaderMap, body: Vec<u8>) -> Result<Posted, PostError> {
        self.poster.post(url, headers, body).await
    }

    /// The links to message centres, by which SMPP accounts send and receive.
    pub const fn links(&self) -> &smpp::Links {
        &self.links
    }

    pub(crate) const fn http(&self) -> &Client {
        &self.http
    }

    /// Hands `text` to the account's carrier, once.
    ///
    /// Dropping the future half-way is as ambiguous as a time-out.
    pub async fn send(&self, credentials: &Credentials, text: &OutboundText) -> Result<Sent, SendError> {
        let result = if text.body.contains('\0') {
            Err(SendError::Rejected(Failure::nul()))
        } else {
            self.send_clean(credentials, text).await
        };
        report(credentials.carrier(), text, &result);
        result
    }

    /// What the carrier says of a number's registration, part by part; a part it doesn't know has no state.
    pub async fn registration(
        &self,
        credentials: &Credentials,
        query: &RegistrationQuery<'_>,
    ) -> Result<Vec<PartState>, CheckError> {
        if anteroom_model::registration::needs(credentials.carrier().as_str(), query.kind).is_empty() {
            return Err(CheckError::NotOffered);
        }
        match credentials {
            Credentials::Twilio(account) => twilio::registration::read(&self.http, account, query).await,
            Credentials::Telnyx(account) => telnyx::registration::read(&self.http, account, query).await,
            Credentials::Bandwidth(account) => bandwidth::registration(&self.http, account, query).await,
            Credentials::Aws(account) => aws::registration::read(&self.http, account, query).await,
            Credentials::SignalWire(_)
            | Credentials::Plivo(_)
            | Credentials::Vonage(_)
            | Credentials::Sinch(_)
            | Credentials::Infobip(_)
            | Credentials::Smpp(_)
            | Credentials::Sandbox(_) => Err(CheckError::NotOffered),
        }
    }

    /// Asks the carrier for something small, to see whether it takes the credentials. `at`: now.
    pub async fn probe(&self, credentials: &Credentials, at: Timestamp) -> Result<Probed, CheckError> {
        probe::probe(&self.http, &self.links, credentials, at).await
    }

    /// The certificates that AWS's deliveries are checked with.
    pub const fn certificates(&self) -> &Certificates {
        &self.certificates
    }

    async fn send_clean(&self, credentials: &Credentials, text: &OutboundText) -> Result<Sent, SendError> {
        match credentials {
            Credentials::Twilio(account) => twilio::send(&self.http, account, text).await,
            Credentials::SignalWire(account) => signalwire::send(&self.http, account, text).await,
            Credentials::Telnyx(account) => telnyx::send(&self.http, account, text).await,
            Credentials::Bandwidth(account) => bandwidth::send(&self.http, account, text).await,
            Credentials::Plivo(account) => plivo::send(&self.http, account, text).await,
            Credentials::Vonage(account) => vonage::send(&self.http, account, text).await,
            Credentials::Sinch(account) => sinch::send(&self.http, account, text).await,
            Credentials::Infobip(account) => infobip::send(&self.http, account, text).await,
            Credentials::Aws(account) => aws::send(&self.http, account, text).await,
            Credentials::Smpp(account) => smpp::send(&self.links, account, text).await,
            Credentials::Sandbox(_) => sandbox::send(text),
        }
    }

    /// Texts like `query` that the carrier has taken, oldest first. Settles a send that was ambiguous;
    /// leave the carrier a few seconds before asking.
    pub async fn find_sent(
        &self,
        credentials: &Credentials,
        query: &SentQuery,
    ) -> Result<Vec<FoundMessage>, FindError> {
        match credentials {
            Credentials::Twilio(account) => twilio::find_sent(&self.http, account, query).await,
            Credentials::SignalWire(account) => signalwire::find_sent(&self.http, account, query).await,
            Credentials::Bandwidth(account) => bandwidth::find_sent(&self.http, account, query).await,
            Credentials::Plivo(account) => plivo::find_sent(&self.http, account, query).await,
            Credentials::Vonage(account) => vonage::find_sent(&self.http, account, query).await,
            Credentials::Sinch(account) => sinch::find_sent(&self.http, account, query).await,
            Credentials::Infobip(account) => infobip::find_sent(&self.http, account, query).await,
            Credentials::Aws(_) => aws::find_sent(query),
            // A message centre tells only of ids, which is what is missing.
            Credentials::Smpp(_) => Err(FindError::NotOffered),
            // Sending again is the same text (`CarrierKind::dedupes_by_our_id`): nothing needs finding.
            Credentials::Telnyx(_) | Credentials::Sandbox(_) => Ok(Vec::new()),
        }
    }
}

fn builder(config: &ClientConfig) -> Result<ClientBuilder, ClientError> {
    let builder = Client::builder()
        .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(config.connect)
        .timeout(config.total)
        // Credentials go to the configured host or nowhere.
        .redirect(redirect::Policy::none())
        // A connection that the carrier has dropped meanwhile makes a send ambiguous, so idle ones are
        // dropped first.
        .pool_idle_timeout(Duration::from_secs(30))
        .no_proxy();
    let Some(proxy) = &config.proxy else { return Ok(builder) };
    let this_machine = NoProxy::from_string("localhost,127.0.0.0/8,::1");
    Ok(builder.proxy(Proxy::all(proxy.clone()).map_err(ClientError)?.no_proxy(this_machine)))
}

fn report(carrier: CarrierKind, text: &OutboundText, result: &Result<Sent, SendError>) {
    match result {
        Ok(_) => tracing::debug!(%carrier, message = %text.our_id, "sent"),
        Err(error) => {
            tracing::warn!(%carrier, message = %text.our_id, code = error.code(), %error, "not sent");
        }
    }
}

/// What a transport error means for a message that was being sent.
///
/// Only an error while connecting (or before) is sure to have sent nothing; anything later may have
/// reached the carrier.
pub(crate) fn transport(error: reqwest::Error) -> SendError {
    let never_sent = error.is_connect() || error.is_builder();
    log_cause(error);
    if never_sent { SendError::Connect } else { SendError::Ambiguous }
}

/// Logs why a request failed, without its URL, whose query may hold a phone number.
pub(crate) fn log_cause(error: reqwest::Error) {
    let error = error.without_url();
    let mut causes = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::info!(causes, "request to a carrier failed");
}

/// Bytes read of an answer to a send; they have about 1,000.
const LONGEST_ANSWER: usize = 256 * 1024;

/// Bytes read of a page of a list.
pub(crate) const LONGEST_PAGE: usize = 4 * 1024 * 1024;

/// The body of a success; of a refusal, what `refusal` makes of its status and body.
///
/// Everything between writing the request and reading the whole answer is ambiguous: a success without a
/// readable body was taken, it seems, but under which id?
pub(crate) async fn answer(
    response: reqwest::Result<Response>,
    refusal: impl FnOnce(StatusCode, &[u8]) -> SendError,
) -> Result<Vec<u8>, SendError> {
    let response = response.map_err(transport)?;
    let status = response.status();
    let retry_after = retry_after(response.headers());
    Err(match status {
        _ if status.is_success() => return body(response, LONGEST_ANSWER).await.ok_or(SendError::Ambiguous),
        StatusCode::TOO_MANY_REQUESTS => SendError::RateLimited { retry_after },
        // A gateway that gave up waiting knows no more than we would after a time-out.
        StatusCode::GATEWAY_TIMEOUT => SendError::Ambiguous,
        StatusCode::REQUEST_TIMEOUT => SendError::Unavailable { status: status.as_u16(), retry_after },
        _ if status.is_server_error() => SendError::Unavailable { status: status.as_u16(), retry_after },
        _ => refusal(status, &body(response, LONGEST_ANSWER).await.unwrap_or_default()),
    })
}

/// What the body of a success says; one that can't be read is ambiguous.
pub(crate) fn accepted<T: DeserializeOwned>(body: &[u8]) -> Result<T, SendError> {
    serde_json::from_slice(body).map_err(|_| SendError::Ambiguous)
}

/// A page of a carrier's list.
pub(crate) async fn list<T: DeserializeOwned>(response: reqwest::Result<Response>) -> Result<T, FindError> {
    let response = response.map_err(|error| {
        log_cause(error);
        FindError::Unreachable
    })?;
    if response.status() != StatusCode::OK {
        let status = response.status().as_u16();
        return Err(FindError::Refused { status, retry_after: retry_after(response.headers()) });
    }
    let body = body(response, LONGEST_PAGE).await.ok_or(FindError::Unreachable)?;
    serde_json::from_slice(&body).map_err(|_| FindError::Malformed)
}

/// The whole body, if it comes and is no longer than `limit` bytes.
pub(crate) async fn body(mut response: Response, limit: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return None,
            Ok(None) => return Some(body),
            Err(error) => {
                log_cause(error);
                return None;
            }
        }
    }
}

/// How long `Retry-After` asks to wait: seconds, or a date, which is read against the answer's own `Date`,
/// so that clocks needn't agree (RFC 9110, 10.2.3). At most a day.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let value = text(header::RETRY_AFTER)?;
    let wait = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are still "very long".
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        date(value)?.since(date(text(header::DATE)?)?)
    };
    Some(wait.min(LONGEST_WAIT))
}

/// An HTTP date or the e-mail date that Twilio's lists use (RFC 2822), to the second.
pub(crate) fn date(text: &str) -> Option<Timestamp> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    parser.parse_timestamp(text).ok().map(|moment| Timestamp::from_micros(moment.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wait(retry_after_value: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(retry_after_value));
        if let Some(date) = date {
            headers.insert(header::DATE, HeaderValue::from_static(date));
        }
        retry_after(&headers)
    }

    #[test]
    fn retry_after_in_seconds() {
        assert_eq!(wait("7", None), Some(Duration::from_secs(7)));
        assert_eq!(wait(" 0 ", None), Some(Duration::ZERO));
        assert_eq!(wait("999999999999999999999999", None), Some(LONGEST_WAIT));
        for bad in ["", "-1", "1.5", "soon"] {
            assert_eq!(wait(bad, Some("Wed, 21 Oct 2026 07:28:00 GMT")), None, "{bad}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn retry_after_as_a_date_is_read_against_the_servers_clock() {
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:30 GMT", Some(date)), Some(Duration::from_secs(30)));
        assert_eq!(wait("Wed, 21 Oct 2026 07:27:00 GMT", Some(date)), Some(Duration::ZERO));
        assert_eq!(wait("Thu, 21 Oct 2027 07:28:30 GMT", Some(date)), Some(LONGEST_WAIT));
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:30 GMT", None), None);
    }
}
