//! How a program can tell that it is us who tell it something: the signatures of Standard Webhooks 1.0
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use anteroom_model::time::Timestamp;
use anteroom_store::WebhookSetup;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use ring::hmac;

/// Bytes of a secret; the specification asks for 24 to 64.
pub(crate) const SECRET: usize = 32;
/// What a secret begins with where people see it.
const PREFIX: &str = "whsec_";

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// A secret as administrators copy it.
pub(crate) fn written(secret: &[u8]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(secret))
}

/// The headers of a message. While two secrets count it is signed with both, so that the receiver may change from one
/// to the other at any moment in between.
pub(super) fn headers(
    setup: &WebhookSetup,
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> Result<HeaderMap, header::InvalidHeaderValue> {
    let seconds = at.millis() / 1_000;
    let mut signatures = signature(&setup.secret, id, seconds, body);
    if let Some(previous) = setup.previous.as_ref().filter(|previous| previous.until > at) {
        signatures.push(' ');
        signatures.push_str(&signature(&previous.secret, id, seconds, body));
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ID, HeaderValue::from_str(id)?);
    headers.insert(TIMESTAMP, HeaderValue::from(seconds));
    headers.insert(SIGNATURE, HeaderValue::from_str(&signatures)?);
    Ok(headers)
}

fn signature(secret: &[u8], id: &str, seconds: u64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let signed = [format!("{id}.{seconds}.").as_bytes(), body].concat();
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)))
}

#[cfg(test)]
mod tests {
    use anteroom_store::PreviousSecret;

    use super::*;

    /// The vector of the specification's own libraries.
    const SPEC_SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SPEC_ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SPEC_SECONDS: i64 = 1_614_265_330;
    const SPEC_BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SPEC_SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn setup(previous: Option<PreviousSecret>) -> WebhookSetup {
        let secret = STANDARD.decode(SPEC_SECRET).unwrap();
        WebhookSetup { url: String::new(), description: String::new(), secret, previous }
    }

    fn signed(setup: &WebhookSetup) -> String {
        let at = Timestamp::from_micros(SPEC_SECONDS * 1_000_000);
        let headers = headers(setup, SPEC_ID, at, SPEC_BODY).unwrap();
        assert_eq!(headers[ID], SPEC_ID);
        assert_eq!(headers[TIMESTAMP], SPEC_SECONDS.to_string());
        headers[SIGNATURE].to_str().unwrap().to_owned()
    }

    #[test]
    fn the_signature_of_the_specification() {
        assert_eq!(signed(&setup(None)), SPEC_SIGNATURE);
    }

    #[test]
    fn both_secrets_sign_until_the_old_one_ends() {
        let previous = |seconds| {
            let until = Timestamp::from_micros((SPEC_SECONDS + seconds) * 1_000_000);
            Some(PreviousSecret { secret: b"the one before".to_vec(), until })
        };
        let both = signed(&setup(previous(1)));
        let parts: Vec<_> = both.split(' ').collect();
        assert_eq!((parts.len(), parts[0]), (2, SPEC_SIGNATURE));
        assert!(parts[1].starts_with("v1,") && parts[1] != SPEC_SIGNATURE);
        assert_eq!(signed(&setup(previous(0))), SPEC_SIGNATURE);
    }
}
