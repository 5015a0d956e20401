//! Telling a program of an organization what happens: one POST to an address that staff have written.
//!
//! It must be `https` and of the public internet, as with files of texts ([`guard`]), unless the operator permits it;
//! redirects are not followed, and nothing of the answer but its status and `Retry-After` is read.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use reqwest::{Client, redirect};
use url::{Host, Origin, Url};

use crate::{client, media::guard};

/// To connect.
const CONNECT: Duration = Duration::from_secs(5);
/// How programs are told things.
#[derive(Clone, Debug)]
pub struct PostConfig {
    /// For a request as a whole. A receiver that takes longer should answer first and work afterwards.
    pub total: Duration,
    /// Origins that are posted to although they are not `https` or not of the public internet.
    pub origins: Vec<Url>,
    /// So is whatever listens on this machine: in a demo.
    pub this_machine: bool,
}

impl Default for PostConfig {
    /// 15 s, and the public internet only.
    fn default() -> Self {
        Self { total: Duration::from_secs(15), origins: Vec::new(), this_machine: false }
    }
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// HTTP.
    pub status: u16,
    /// How long it asked to wait.
    pub retry_after: Option<Duration>,
}

/// Why nothing was answered. No text of these names the address, which may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The address is not one that is posted to.
    #[error("the address is not one that is posted to ({0})")]
    Address(&'static str),
    /// No connection, or it broke.
    #[error("the address can't be reached")]
    Unreachable,
    /// No answer in time.
    #[error("no answer came in time")]
    TimedOut,
}

/// What posts. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Poster {
    public: Client,
    permitted: Client,
    origins: Arc<[Origin]>,
    this_machine: bool,
}

impl Poster {
    pub(crate) fn new(config: &PostConfig, trust_nobody: bool) -> reqwest::Result<Self> {
        let builder = || {
            let builder = Client::builder()
                .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT)
                .timeout(config.total)
                .redirect(redirect::Policy::none())
                .no_proxy();
            if trust_nobody { builder.tls_certs_only([]) } else { builder }
        };
        Ok(Self {
            public: builder().dns_resolver(guard::Public).build()?,
            permitted: builder().build()?,
            origins: config.origins.iter().map(Url::origin).collect(),
            this_machine: config.this_machine,
        })
    }

    /// The client for an address; or what is wrong with it. A name is judged when it is resolved.
    fn client_for(&self, url: &Url) -> Result<&Client, PostError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(PostError::Address("credentials"));
        }
        if self.origins.contains(&url.origin()) || (self.this_machine && is_this_machine(url)) {
            return Ok(&self.permitted);
        }
        if url.scheme() != "https" {
            return Err(PostError::Address("scheme"));
        }
        if guard::may_be_public(url) { Ok(&self.public) } else { Err(PostError::Address("private")) }
    }

    pub(crate) fn check(&self, url: &Url) -> Result<(), PostError> {
        self.client_for(url).map(drop)
    }

    pub(crate) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Posted, PostError> {
        let request = self.client_for(url)?.post(url.clone()).headers(headers).body(body);
        match request.send().await {
            Ok(response) => Ok(Posted {
                status: response.status().as_u16(),
                retry_after: client::retry_after(response.headers()),
            }),
            Err(error) => {
                let (refused, timed_out) = (guard::refused(&error), error.is_timeout());
                client::log_cause(error);
                Err(match (refused, timed_out) {
                    (true, _) => PostError::Address("private"),
                    (_, true) => PostError::TimedOut,
                    _ => PostError::Unreachable,
                })
            }
        }
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poster(config: &PostConfig) -> Poster {
        drop(rustls::crypto::ring::default_provider().install_default());
        Poster::new(config, true).unwrap()
    }

    fn judged(poster: &Poster, url: &str) -> Result<(), PostError> {
        poster.check(&url.parse().unwrap())
    }

    #[test]
    fn only_https_on_the_public_internet_unless_it_is_permitted() {
        let strict = poster(&PostConfig::default());
        assert_eq!(judged(&strict, "https://hooks.example.com/a?token=b"), Ok(()));
        assert_eq!(judged(&strict, "https://hooks.example.com:8443/a"), Ok(()));
        for (url, why) in [
            ("http://hooks.example.com/", "scheme"),
            ("ftp://hooks.example.com/", "scheme"),
            ("https://user:secret@hooks.example.com/", "credentials"),
            ("https://127.0.0.1/", "private"),
            ("https://[::1]/", "private"),
            ("https://10.0.0.7/", "private"),
            ("https://169.254.169.254/latest/meta-data", "private"),
            ("https://[fd00::1]/", "private"),
        ] {
            assert_eq!(judged(&strict, url), Err(PostError::Address(why)), "{url}");
        }
        let origins = vec!["http://10.0.0.7:9000".parse().unwrap()];
        let permitting = poster(&PostConfig { origins, ..PostConfig::default() });
        assert_eq!(judged(&permitting, "http://10.0.0.7:9000/hook"), Ok(()));
        assert!(judged(&permitting, "http://10.0.0.7:9001/hook").is_err());
        let demo = poster(&PostConfig { this_machine: true, ..PostConfig::default() });
        assert_eq!(judged(&demo, "http://localhost:3000/hook"), Ok(()));
        assert_eq!(judged(&demo, "http://127.0.0.1:3000/hook"), Ok(()));
        assert!(judged(&demo, "http://10.0.0.7:9000/hook").is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_when_it_is_resolved() {
        let strict = poster(&PostConfig::default());
        let url = "https://localhost/hook".parse().unwrap();
        let posted = strict.post(&url, HeaderMap::new(), Vec::new()).await;
        assert_eq!(posted, Err(PostError::Address("private")));
    }
}
