//! Twilio's signature of webhooks, written from its description and not from Anteroom's code.
//!
//! <https://www.twilio.com/docs/usage/webhooks/webhooks-security>: the URL, then every parameter's name and
//! value, sorted by name, with nothing between; HMAC-SHA1 under the auth token; base64. Of a repeated name the
//! SDKs take the distinct values, sorted.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Signs as one Twilio account.
#[derive(Clone)]
pub struct TwilioSigner(String);

impl TwilioSigner {
    /// With an account's auth token.
    pub fn new(auth_token: &str) -> Self {
        Self(auth_token.to_owned())
    }

    /// The value of `X-Twilio-Signature` for `url` (query included) and the decoded `params` of a form.
    pub fn sign<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, url: &str, params: &[(K, V)]) -> String {
        let mut sorted: BTreeMap<&[u8], BTreeSet<&[u8]>> = BTreeMap::new();
        for (name, value) in params {
            sorted.entry(name.as_ref()).or_default().insert(value.as_ref());
        }
        let mut text = url.as_bytes().to_vec();
        for (name, values) in sorted {
            for value in values {
                text.extend_from_slice(name);
                text.extend_from_slice(value);
            }
        }
        let mut mac = Hmac::<Sha1>::new_from_slice(self.0.as_bytes()).expect("HMAC takes any key");
        mac.update(&text);
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl std::fmt::Debug for TwilioSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TwilioSigner(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of Twilio's security page (of today and of earlier) and of its SDKs' tests.
    #[test]
    fn published_examples() {
        let signer = TwilioSigner::new("12345");
        for (url, phone, expected) in [
            ("https://example.com/myapp.php?foo=1&bar=2", "+14158675310", "L/OH5YylLD5NRKLltdqwSvS0BnU="),
            ("https://mycompany.com/myapp.php?foo=1&bar=2", "+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
            ("https://mycompany.com/myapp.php?foo=1&bar=2", "+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        ] {
            let params = [
                ("To", "+18005551212"),
                ("From", phone),
                ("Digits", "1234"),
                ("Caller", phone),
                ("CallSid", "CA1234567890ABCDE"),
            ];
            assert_eq!(signer.sign(url, &params), expected, "{url} {phone}");
        }
    }

    /// twilio-python, `tests/unit/test_request_validator.py`: repeated names.
    #[test]
    fn repeated_names() {
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let params = [("Digits", "5678"), ("Sid", "CA123"), ("Digits", "1234"), ("SidAccount", "AC123")];
        assert_eq!(TwilioSigner::new("12345").sign(url, &params), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
        let twice = [params.as_slice(), &[("Digits", "1234")]].concat();
        assert_eq!(TwilioSigner::new("12345").sign(url, &twice), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
    }
}
