//! What an account proves itself with, as the carriers name it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de, de::DeserializeOwned};
use url::{Host, Url};

use crate::{
    CarrierKind, aws::AwsCredentials, bandwidth::BandwidthCredentials, infobip::InfobipCredentials,
    plivo::PlivoCredentials, sandbox::SandboxCredentials, signalwire::SignalWireCredentials,
    sinch::SinchCredentials, smpp::SmppCredentials, telnyx::TelnyxCredentials, twilio::TwilioCredentials,
    vonage::VonageCredentials,
};

/// An account's credentials: the plaintext of what the store keeps sealed.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Fields of [`TwilioCredentials`].
    Twilio(TwilioCredentials),
    /// Fields of [`SignalWireCredentials`].
    SignalWire(SignalWireCredentials),
    /// Fields of [`TelnyxCredentials`].
    Telnyx(TelnyxCredentials),
    /// Fields of [`BandwidthCredentials`].
    Bandwidth(BandwidthCredentials),
    /// Fields of [`PlivoCredentials`].
    Plivo(PlivoCredentials),
    /// Fields of [`VonageCredentials`].
    Vonage(VonageCredentials),
    /// Fields of [`SinchCredentials`].
    Sinch(SinchCredentials),
    /// Fields of [`InfobipCredentials`].
    Infobip(InfobipCredentials),
    /// Fields of [`AwsCredentials`].
    Aws(AwsCredentials),
    /// Fields of [`SmppCredentials`].
    Smpp(SmppCredentials),
    /// Fields of [`SandboxCredentials`].
    Sandbox(SandboxCredentials),
}

impl Credentials {
    /// Reads the JSON that an administrator entered, in the carrier's own field names.
    pub fn from_json(carrier: CarrierKind, json: &[u8]) -> Result<Self, CredentialsError> {
        let read = match carrier {
            CarrierKind::Twilio => read(json).map(Self::Twilio),
            CarrierKind::SignalWire => read(json).map(Self::SignalWire),
            CarrierKind::Telnyx => read(json).map(Self::Telnyx),
            CarrierKind::Bandwidth => read(json).map(Self::Bandwidth),
            CarrierKind::Plivo => read(json).map(Self::Plivo),
            CarrierKind::Vonage => read(json).map(Self::Vonage),
            CarrierKind::Sinch => read(json).map(Self::Sinch),
            CarrierKind::Infobip => read(json).map(Self::Infobip),
            CarrierKind::Aws => read(json).map(Self::Aws),
            CarrierKind::Smpp => read(json).map(Self::Smpp),
            CarrierKind::Sandbox => read(json).map(Self::Sandbox),
        };
        read.map_err(|reason| CredentialsError { carrier, reason })
    }

    /// Whose they are.
    pub const fn carrier(&self) -> CarrierKind {
        match self {
            Self::Twilio(_) => CarrierKind::Twilio,
            Self::SignalWire(_) => CarrierKind::SignalWire,
            Self::Telnyx(_) => CarrierKind::Telnyx,
            Self::Bandwidth(_) => CarrierKind::Bandwidth,
            Self::Plivo(_) => CarrierKind::Plivo,
            Self::Vonage(_) => CarrierKind::Vonage,
            Self::Sinch(_) => CarrierKind::Sinch,
            Self::Infobip(_) => CarrierKind::Infobip,
            Self::Aws(_) => CarrierKind::Aws,
            Self::Smpp(_) => CarrierKind::Smpp,
            Self::Sandbox(_) => CarrierKind::Sandbox,
        }
    }
}

/// Credentials that can't be read. Never repeats a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("credentials for {carrier}: {reason}")]
pub struct CredentialsError {
    /// The carrier they were meant for.
    pub carrier: CarrierKind,
    /// Which field is missing, unknown or wrong.
    pub reason: String,
}

/// One carrier's credentials, or why there are none: which field it is, and no value of any.
fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let reason = reason(error.inner());
        let says_where = path == "." || !error.inner().is_data() || reason.contains(&format!("`{path}`"));
        if says_where { reason } else { format!("{path}: {reason}") }
    })?;
    reader.end().map_err(|error| reason(&error))?;
    Ok(read)
}

/// serde's message where it speaks of fields only; its messages about types repeat the value.
fn reason(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    if !error.is_data() {
        return format!("no JSON{place}");
    }
    let message = error.to_string();
    let names_only = ["missing field", "unknown field", "duplicate field", "expected"];
    if names_only.iter().any(|start| message.starts_with(start)) {
        message.strip_suffix(&place).unwrap_or(&message).to_owned()
    } else {
        "not what was expected".into()
    }
}

/// A secret text, not empty. `Debug` hides it; the memory is wiped on drop.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The text, for signing and for the `Authorization` header.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().is_empty() {
            return Err(de::Error::custom("expected a secret that is not empty"));
        }
        Ok(Self::new(text))
    }
}

/// Where a carrier's API is: `https`, or `http` to this very machine (fakes in tests).
///
/// The base address is an operator's setting: whoever lets an organization edit it lets it make this
/// server talk to any host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Reads an address without query, fragment or user; a slash at its end doesn't matter.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let local = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        };
        let scheme = url.scheme() == "https" || (url.scheme() == "http" && local);
        let plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        (scheme && plain).then(|| Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// An address that is known to be one.
    pub(crate) fn constant(text: &str) -> Self {
        Self::parse(text).expect("a constant")
    }

    /// What stands between `//` and the path: the request's `Host`.
    pub(crate) fn authority(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    /// This address followed by `path`, which begins with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom("expected a base URL that is https (or http to this machine), without query")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(carrier: CarrierKind, json: &str) -> String {
        Credentials::from_json(carrier, json.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn carriers_own_field_names() {
        let json = br#"{"account_sid":"AC1","auth_token":"t0p-secret","subaccounts":[{"account_sid":"AC2","auth_token":"s"}]}"#;
        let credentials = Credentials::from_json(CarrierKind::Twilio, json).unwrap();
        assert_eq!(credentials.carrier(), CarrierKind::Twilio);
        assert!(!format!("{credentials:?}").contains("t0p-secret"));
        let credentials = Credentials::from_json(CarrierKind::Sandbox, br#"{"secret":"s3cr3t"}"#).unwrap();
        assert_eq!(credentials.carrier(), CarrierKind::Sandbox);
        assert!(!format!("{credentials:?}").contains("s3cr3t"));
    }

    #[test]
    fn errors_name_fields_and_no_values() {
        let missing = error(CarrierKind::Twilio, r#"{"account_sid":"AC1"}"#);
        assert!(missing.contains("missing field `auth_token`"), "{missing}");
        let unknown =
            error(CarrierKind::Twilio, r#"{"account_sid":"AC1","auth_token":"t","messaging_service":"M"}"#);
        assert!(unknown.contains("unknown field `messaging_service`"), "{unknown}");
        for json in [
            r#"{"account_sid":"AC1","auth_token":918273645}"#,
            r#"{"account_sid":"918273645!","auth_token":"t"}"#,
            r#"{"account_sid":"AC1","auth_token":"t","api_base_url":"http://918273645.example"}"#,
            r#"{"account_sid":"AC1","auth_token":"918273645"#,
            r#"{"account_sid":"AC1","auth_token":" "}"#,
            r#""918273645""#,
        ] {
            let shown = error(CarrierKind::Twilio, json);
            assert!(!shown.contains("918273645"), "{shown}");
        }
        let shown = error(CarrierKind::Sandbox, r#"{"secret":""}"#);
        assert_eq!(shown, "credentials for sandbox: secret: expected a secret that is not empty");
        let shown = error(CarrierKind::Twilio, r#"{"account_sid":"AC1","auth_token":7}"#);
        assert_eq!(shown, "credentials for twilio: auth_token: not what was expected");
        let nested =
            r#"{"account_sid":"AC1","auth_token":"t","subaccounts":[{"account_sid":"AC2","token":"s"}]}"#;
        let shown = error(CarrierKind::Twilio, nested);
        assert!(shown.contains("twilio: subaccounts[0].token: unknown field `token`"), "{shown}");
        for json in ["", "{", r#"{"secret":"s"} {}"#] {
            assert!(error(CarrierKind::Sandbox, json).contains("no JSON at line 1"), "{json}");
        }
    }

    #[test]
    fn base_urls_do_not_send_secrets_in_the_clear() {
        for good in [
            "https://api.twilio.com",
            "https://api.twilio.com/",
            "http://127.0.0.1:9",
            "http://localhost:1/x",
            "http://[::1]:2",
        ] {
            assert_eq!(
                BaseUrl::parse(good).unwrap().join("/y"),
                format!("{}/y", good.trim_end_matches('/')),
                "{good}"
            );
        }
        for bad in [
            "http://api.twilio.com",
            "ftp://x",
            "api.twilio.com",
            "https://a:b@x",
            "https://x/?q",
            "https://x/#f",
            "http://localhost.example",
            "http://10.0.0.1",
        ] {
            assert_eq!(BaseUrl::parse(bad), None, "{bad}");
        }
    }
}
