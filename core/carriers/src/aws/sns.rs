//! SNS's envelope and its signature.
//!
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html>.
//! RSA over `name\nvalue\n` of the envelope's fields, under a certificate that the envelope names. Which
//! hash, which topics and which hosts are settled by the account before anything is fetched.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::{AwsCredentials, SignatureVersion, TopicArn, certificates::Certificate};
use crate::{Delivery, Malformed, Rejection, json, verify};

/// How old a message may be: SNS tries for an hour (and some) before it gives up, with the first attempt's
/// signature. Within that, replays are recognised by `inboundMessageId`.
const TOLERANCE: Duration = Duration::from_mins(75);

/// An envelope of a topic that the account names. Not yet known to be genuine.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Envelope {
    #[serde(rename = "Type")]
    kind: String,
    message_id: String,
    topic_arn: String,
    subject: Option<String>,
    message: String,
    timestamp: String,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: String,
    #[serde(rename = "SubscribeURL")]
    subscribe_url: Option<String>,
    token: Option<String>,
    /// The host that signs for the topic.
    #[serde(skip)]
    host: String,
}

/// An envelope that SNS signed.
pub(crate) struct Genuine(Envelope);

/// Reads an envelope, and refuses whatever this account would not take even if it were genuine.
pub(crate) fn read(credentials: &AwsCredentials, delivery: &Delivery<'_>) -> Result<Envelope, Rejection> {
    verify::post_only(delivery)?;
    // What is no envelope is signed by nobody.
    let mut envelope: Envelope = json::read(delivery.body).map_err(|_| Rejection::SignatureMissing)?;
    let topic = credentials.topic_arns.iter().find(|topic| topic.0 == envelope.topic_arn);
    let topic = topic.ok_or(Rejection::SignatureInvalid)?;
    let version = match credentials.signature_version {
        SignatureVersion::Sha1 => "1",
        SignatureVersion::Sha256 => "2",
    };
    envelope.host = host(topic);
    if envelope.signature_version != version || envelope.certificate_url().is_none() {
        return Err(Rejection::SignatureInvalid);
    }
    Ok(envelope)
}

/// The one host that signs for a topic and confirms its subscriptions.
fn host(topic: &TopicArn) -> String {
    let region = topic.region();
    let end = if region.starts_with("cn-") { ".com.cn" } else { ".com" };
    format!("sns.{region}.amazonaws{end}")
}

/// An address at that host: https, the default port, no user.
fn at_host(url: &str, host: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let plain = url.scheme() == "https" && url.port().is_none() && url.username().is_empty();
    (plain && url.password().is_none() && url.host_str() == Some(host)).then_some(url)
}

impl Envelope {
    /// Where the certificate is: at the topic's own host, a file of the name that SNS gives them.
    pub(super) fn certificate_url(&self) -> Option<Url> {
        let url = at_host(&self.signing_cert_url, &self.host)?;
        let name = url.path().strip_prefix('/')?.strip_suffix(".pem")?;
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let named = name.starts_with("SimpleNotificationService-") && name.len() <= 80;
        (plain && named && url.query().is_none() && url.fragment().is_none()).then_some(url)
    }

    /// What is signed.
    fn signed(&self) -> Vec<u8> {
        let confirmation = self.kind != "Notification";
        let fields: [(&str, Option<&str>); 8] = [
            ("Message", Some(&self.message)),
            ("MessageId", Some(&self.message_id)),
            ("Subject", self.subject.as_deref().filter(|_| !confirmation)),
            ("SubscribeURL", self.subscribe_url.as_deref().filter(|_| confirmation)),
            ("Timestamp", Some(&self.timestamp)),
            ("Token", self.token.as_deref().filter(|_| confirmation)),
            ("TopicArn", Some(&self.topic_arn)),
            ("Type", Some(&self.kind)),
        ];
        let mut signed = Vec::new();
        for (name, value) in fields.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            for part in [name, "\n", value, "\n"] {
                signed.extend_from_slice(part.as_bytes());
            }
        }
        signed
    }

    /// Checks the signature, then the moment.
    pub(super) fn verify(
        self,
        credentials: &AwsCredentials,
        delivery: &Delivery<'_>,
        certificate: &Certificate,
    ) -> Result<Genuine, Rejection> {
        let signature = verify::base64(&self.signature)?;
        if !certificate.verifies(credentials.signature_version, &self.signed(), &signature) {
            return Err(Rejection::SignatureInvalid);
        }
        let signed_at = json::moment(Some(&self.timestamp)).ok_or(Rejection::Stale)?;
        verify::fresh(delivery, signed_at, TOLERANCE)?;
        Ok(Genuine(self))
    }
}

impl Genuine {
    pub(super) fn is_notification(&self) -> bool {
        self.0.kind == "Notification"
    }

    pub(super) fn message(&self) -> &str {
        &self.0.message
    }

    /// Where to confirm the subscription; `None` for anything else, such as the end of one.
    pub(super) fn confirmation_url(&self) -> Result<Option<Url>, Malformed> {
        if self.0.kind != "SubscriptionConfirmation" {
            return Ok(None);
        }
        let url = self.0.subscribe_url.as_deref().and_then(|url| at_host(url, &self.0.host));
        let confirms = |url: &Url| {
            url.path() == "/"
                && url.query_pairs().any(|pair| pair == ("Action".into(), "ConfirmSubscription".into()))
        };
        url.filter(confirms).map(Some).ok_or(Malformed::Field("SubscribeURL"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "sns.us-east-1.amazonaws.com";

    #[test]
    fn only_the_topics_own_host_counts() {
        assert!(at_host("https://sns.us-east-1.amazonaws.com/x.pem", HOST).is_some());
        for bad in [
            "http://sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com:8443/x.pem",
            "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
            "https://u@sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
            "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.eu-west-1.amazonaws.com/x.pem",
            "https://bucket.s3.amazonaws.com/x.pem",
            "//sns.us-east-1.amazonaws.com/x.pem",
            "",
        ] {
            assert!(at_host(bad, HOST).is_none(), "{bad}");
        }
    }
}
