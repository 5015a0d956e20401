//! Whom an account's credentials are shown to.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use url::Url;

use crate::{Secret, credentials::BaseUrl, media::sensitive};

/// How an account may fetch its files: what it proves itself with, and to whom.
#[derive(Clone, Debug)]
pub(crate) struct Access<'a> {
    /// What it shows.
    pub(crate) proof: Proof<'a>,
    /// Where the account's API is: shown there.
    pub(crate) api: Option<&'a BaseUrl>,
    /// Other hosts of the carrier's that want it, `https` only; one that begins with a dot stands for all below it.
    pub(crate) hosts: &'static [&'static str],
}

/// What goes into `Authorization`.
#[derive(Clone, Debug)]
pub(crate) enum Proof<'a> {
    /// Nothing: whoever has the link may have the file.
    None,
    /// RFC 7617.
    Basic(&'a str, &'a Secret),
    /// A scheme and what follows it: `Bearer`, or a carrier's own.
    Token(&'static str, Secret),
}

impl Access<'_> {
    /// Links that need no proof.
    pub(crate) const PLAIN: Self = Access { proof: Proof::None, api: None, hosts: &[] };

    /// The value of `Authorization` for a request to `url`; none where it isn't the carrier's.
    pub(super) fn proof_for(&self, url: &Url) -> Option<HeaderValue> {
        if !self.is_carriers(url) {
            return None;
        }
        match &self.proof {
            Proof::None => None,
            Proof::Basic(user, password) => {
                let pair = format!("{user}:{}", password.expose());
                sensitive(&format!("Basic {}", BASE64_STANDARD.encode(pair)))
            }
            Proof::Token(scheme, token) => sensitive(&format!("{scheme} {}", token.expose())),
        }
    }

    fn is_carriers(&self, url: &Url) -> bool {
        let api = self.api.and_then(|api| Url::parse(&api.join("")).ok());
        if api.is_some_and(|api| api.origin() == url.origin()) {
            return true;
        }
        let Some(host) = url.host_str().filter(|_| url.scheme() == "https" && url.port().is_none()) else {
            return false;
        };
        self.hosts
            .iter()
            .any(|known| if known.starts_with('.') { host.ends_with(known) } else { host == *known })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_shown_to_the_carrier_only() {
        let (base, secret) = (BaseUrl::constant("https://api.carrier.example"), Secret::new("s3cret".into()));
        let proof = Proof::Basic("AC1", &secret);
        let access = Access { proof, api: Some(&base), hosts: &["files.carrier.example", ".nexmo.com"] };
        let shown = |url: &str| access.proof_for(&Url::parse(url).unwrap()).is_some();
        for ours in [
            "https://api.carrier.example/m/1",
            "https://api.carrier.example:443/m/1",
            "https://files.carrier.example/x",
            "https://api-us-1.nexmo.com/v3/media/1",
        ] {
            assert!(shown(ours), "{ours}");
        }
        for others in [
            "http://api.carrier.example/m/1",
            "https://api.carrier.example:8443/m/1",
            "https://api.carrier.example.evil.example/m/1",
            "https://evil-api.carrier.example/",
            "https://evilnexmo.com/",
            "https://nexmo.com.evil.example/",
            "http://files.carrier.example/x",
            "https://files.carrier.example:444/x",
            "https://cdn.example/x",
        ] {
            assert!(!shown(others), "{others}");
        }
        assert!(!format!("{access:?}").contains("s3cret"));
        let value = access.proof_for(&Url::parse("https://api.carrier.example/").unwrap()).unwrap();
        assert_eq!(value, "Basic QUMxOnMzY3JldA==");
        assert!(!format!("{value:?}").contains("QUMx"));
    }
}
