//! Fetching what came with a text: a picture or document that is still at the carrier.
//!
//! Whoever writes a webhook names the address, so nothing of it is trusted. Each hop must be `https`, and lead to an
//! address of the public internet ([`guard`]); redirects are followed by hand, at most [`MOST_REDIRECTS`]; the
//! account's credentials go to the carrier's own hosts and nowhere else ([`Access`]: each carrier's file says
//! which they are); and however long the answer says it is, no more is read than was asked for.

use std::{sync::Arc, time::Duration};

use anteroom_model::time::Timestamp;
use http::{HeaderValue, StatusCode, header};
use reqwest::{Client, Response, redirect};
use url::{Origin, Url};

use crate::{
    Credentials, aws, bandwidth, client, infobip, plivo, sandbox, signalwire, sinch, smpp, telnyx, twilio,
    vonage,
};

mod access;
pub(crate) mod guard;
mod limits;

pub(crate) use access::{Access, Proof};
pub use limits::{MediaLimits, media_limits};

/// Redirects that are followed. Twilio needs one, to where its files are.
const MOST_REDIRECTS: usize = 3;
/// For one file as a whole, redirects and all.
const TOTAL: Duration = Duration::from_mins(1);
/// Between two pieces of it.
const SILENCE: Duration = Duration::from_secs(15);
/// To connect.
const CONNECT: Duration = Duration::from_secs(5);

/// A file that was fetched whole.
pub struct Fetched {
    /// All of it.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetched").field("bytes", &self.bytes.len()).finish()
    }
}

/// Why a file was not fetched. No text of these names the address: who has it may have the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The address, or one that it redirects to, is not one that is fetched from. Never to be tried again.
    #[error("the file's address is not one that is fetched from ({0})")]
    Address(&'static str),
    /// More bytes than asked for.
    #[error("the file is too large")]
    TooLarge,
    /// The carrier says that it has no such file. Some say so for a moment after the text.
    #[error("the carrier has no such file (HTTP {0})")]
    Missing(u16),
    /// The carrier doesn't let this account have it: wrong credentials, or a link that has expired.
    #[error("the carrier refused the file (HTTP {0})")]
    Forbidden(u16),
    /// No connection, no answer in time, not the whole one, or a fault of the carrier's. To be tried again.
    #[error("the file can't be fetched now")]
    Unavailable {
        /// How long the carrier asked to wait.
        retry_after: Option<Duration>,
    },
}

impl FetchError {
    /// A stable word for metrics and logs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::TooLarge => "too_large",
            Self::Missing(_) => "missing",
            Self::Forbidden(_) => "forbidden",
            Self::Unavailable { .. } => "unavailable",
        }
    }
}

/// What fetches. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Fetcher {
    http: Client,
    permitted: Arc<[Origin]>,
}

impl Fetcher {
    /// `permitted` are origins that are fetched from wherever they are: fakes on this machine.
    pub(crate) fn new(permitted: &[Url], trust_nobody: bool) -> reqwest::Result<Self> {
        let mut builder = Client::builder()
            .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .timeout(TOTAL)
            .redirect(redirect::Policy::none())
            .dns_resolver(guard::Public)
            .no_proxy();
        if trust_nobody {
            builder = builder.tls_certs_only([]);
        }
        Ok(Self { http: builder.build()?, permitted: permitted.iter().map(Url::origin).collect() })
    }

    /// The file at `address`, if it has no more than `limit` bytes.
    pub(crate) async fn fetch(
        &self,
        access: &Access<'_>,
        address: &str,
        limit: usize,
    ) -> Result<Fetched, FetchError> {
        match tokio::time::timeout(TOTAL, self.follow(access, address, limit)).await {
            Ok(fetched) => fetched,
            Err(_) => Err(FetchError::Unavailable { retry_after: None }),
        }
    }

    async fn follow(&self, access: &Access<'_>, address: &str, limit: usize) -> Result<Fetched, FetchError> {
        let mut url = Url::parse(address).map_err(|_| FetchError::Address("malformed"))?;
        for _ in 0..=MOST_REDIRECTS {
            self.check(&url)?;
            // Not inflated here either: the size that is limited is the size that was asked for.
            let mut request = self.http.get(url.clone()).header(header::ACCEPT_ENCODING, "identity");
            if let Some(proof) = access.proof_for(&url) {
                request = request.header(header::AUTHORIZATION, proof);
            }
            let response = request.send().await.map_err(not_reached)?;
            match redirected(&response, &url)? {
                Some(next) => url = next,
                None => return read(response, limit).await,
            }
        }
        Err(FetchError::Address("redirects"))
    }

    /// Refuses what is no address of the public internet. Names are judged when they are resolved, by what they
    /// are then connected to.
    fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::Address("credentials"));
        }
        if self.permitted.contains(&url.origin()) {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(FetchError::Address("scheme"));
        }
        if url.port_or_known_default() != Some(443) {
            return Err(FetchError::Address("port"));
        }
        if guard::may_be_public(url) { Ok(()) } else { Err(FetchError::Address("private")) }
    }
}

/// An error on the way to the answer; a name that leads to a private address is for good.
fn not_reached(error: reqwest::Error) -> FetchError {
    let refused = guard::refused(&error);
    client::log_cause(error);
    if refused { FetchError::Address("private") } else { FetchError::Unavailable { retry_after: None } }
}

/// Where the answer leads to, if it does.
fn redirected(response: &Response, from: &Url) -> Result<Option<Url>, FetchError> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !redirects.contains(&response.status()) {
        return Ok(None);
    }
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| from.join(location).ok());
    next.map(Some).ok_or(FetchError::Address("redirect"))
}

async fn read(mut response: Response, limit: usize) -> Result<Fetched, FetchError> {
    let status = response.status();
    let retry_after = client::retry_after(response.headers());
    let unavailable = FetchError::Unavailable { retry_after };
    match status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FetchError::Missing(status.as_u16())),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err(FetchError::Forbidden(status.as_u16()));
        }
        _ => return Err(unavailable),
    }
    let announced = response.content_length();
    if announced.is_some_and(|announced| announced > limit as u64) {
        return Err(FetchError::TooLarge);
    }
    let mut bytes =
        Vec::with_capacity(announced.and_then(|length| usize::try_from(length).ok()).unwrap_or(0));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() <= limit => bytes.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(FetchError::TooLarge),
            Ok(None) => return Ok(Fetched { bytes }),
            Err(error) => {
                client::log_cause(error);
                return Err(unavailable);
            }
        }
    }
}

/// How `credentials` may fetch the file at `address`, at `at`.
pub(crate) fn access<'a>(credentials: &'a Credentials, address: &str, at: Timestamp) -> Access<'a> {
    match credentials {
        Credentials::Twilio(account) => twilio::media_access(account, address),
        Credentials::SignalWire(account) => signalwire::media_access(account),
        Credentials::Telnyx(account) => telnyx::media_access(account),
        Credentials::Bandwidth(account) => bandwidth::media_access(account),
        Credentials::Plivo(account) => plivo::media_access(account),
        Credentials::Vonage(account) => vonage::media_access(account, at),
        Credentials::Sinch(account) => sinch::media_access(account),
        Credentials::Infobip(account) => infobip::media_access(account),
        Credentials::Aws(_) => aws::MEDIA_ACCESS,
        Credentials::Smpp(_) => smpp::MEDIA_ACCESS,
        Credentials::Sandbox(_) => sandbox::MEDIA_ACCESS,
    }
}

/// A header value that no log shows.
fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests;
