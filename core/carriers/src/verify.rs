//! What the carriers' ways to prove themselves have in common: HMACs, Basic credentials, moments.

use std::time::Duration;

use anteroom_model::time::Timestamp;
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{KeyInit, Mac};
use http::{Method, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Delivery, Rejection, Secret, rotation::Rotating};

/// How far a carrier's clock may be ahead of ours.
pub(crate) const AHEAD: Duration = Duration::from_mins(5);

/// Refuses all methods but POST.
pub(crate) fn post_only(delivery: &Delivery<'_>) -> Result<(), Rejection> {
    if delivery.method == Method::POST { Ok(()) } else { Err(Rejection::MethodNotAllowed { allow: "POST" }) }
}

/// The header that proves who sent the delivery.
pub(crate) fn proof<'a>(delivery: &Delivery<'a>, name: &str) -> Result<&'a str, Rejection> {
    delivery.header(name).ok_or(Rejection::SignatureMissing)
}

/// A keyed hash of `parts`, one after the other.
pub(crate) fn mac<M: Mac + KeyInit>(key: &Secret, parts: &[&[u8]]) -> M {
    let mut mac =
        <M as KeyInit>::new_from_slice(key.expose().as_bytes()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac
}

/// Whether `signature` is the keyed hash of `parts`; compared in constant time.
pub(crate) fn is_mac<M: Mac + KeyInit>(key: &Secret, parts: &[&[u8]], signature: &[u8]) -> bool {
    mac::<M>(key, parts).verify_slice(signature).is_ok()
}

/// Standard base64 with its padding, nothing else: a signature has one spelling.
pub(crate) fn base64(signature: &str) -> Result<Vec<u8>, Rejection> {
    BASE64_STANDARD.decode(signature).map_err(|_| Rejection::SignatureInvalid)
}

/// Equality that takes as long for every wrong guess, whatever its length.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    Sha256::digest(left).ct_eq(&Sha256::digest(right)).into()
}

/// Checks HTTP Basic credentials (RFC 7617), for carriers that sign nothing.
pub(crate) fn basic(
    delivery: &Delivery<'_>,
    username: &str,
    password: &Rotating<Secret>,
) -> Result<(), Rejection> {
    let value = proof(delivery, header::AUTHORIZATION.as_str())?;
    let (scheme, encoded) = value.split_once(' ').ok_or(Rejection::SignatureInvalid)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Rejection::SignatureInvalid);
    }
    let given = base64(encoded.trim())?;
    password.verify(delivery.received_at, |password| {
        same(&given, format!("{username}:{}", password.expose()).as_bytes())
    })
}

/// Refuses what was signed longer than `behind` ago, or is from the future by more than [`AHEAD`]. To be
/// asked once the signature is known to be good.
pub(crate) fn fresh(
    delivery: &Delivery<'_>,
    signed_at: Timestamp,
    behind: Duration,
) -> Result<(), Rejection> {
    let now = delivery.received_at;
    let fresh = signed_at.plus(behind) >= now && now.plus(AHEAD) >= signed_at;
    if fresh { Ok(()) } else { Err(Rejection::Stale) }
}

/// Whole seconds since 1970, as carriers write them: digits only.
pub(crate) fn unix_seconds(text: &str) -> Option<Timestamp> {
    let digits = (1..=11).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let seconds: i64 = if digits { text.parse().ok()? } else { return None };
    Some(Timestamp::from_micros(seconds * 1_000_000))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::Endpoint;

    fn delivery(headers: &HeaderMap, at: Timestamp) -> Delivery<'_> {
        Delivery {
            endpoint: Endpoint::Messages,
            method: &Method::POST,
            path_and_query: "/",
            headers,
            body: b"",
            public_url: "https://clinic.example/",
            received_at: at,
        }
    }

    #[test]
    fn moments_outside_the_window_are_stale() {
        let (headers, now) = (HeaderMap::new(), unix_seconds("1700000000").unwrap());
        let at = |seconds: i64| Timestamp::from_micros((1_700_000_000 + seconds) * 1_000_000);
        for (seconds, taken) in [(0, true), (-60, true), (-61, false), (300, true), (301, false)] {
            let fresh = fresh(&delivery(&headers, now), at(seconds), Duration::from_mins(1));
            assert_eq!(fresh.is_ok(), taken, "{seconds}");
        }
    }

    #[test]
    fn seconds_are_digits() {
        assert_eq!(unix_seconds("1700000000").map(Timestamp::micros), Some(1_700_000_000_000_000));
        for bad in ["", "-1", "+1", "1.5", "1e3", " 1", "999999999999", "now"] {
            assert_eq!(unix_seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn basic_credentials_are_compared_whole() {
        let password: Rotating<Secret> = serde_json::from_str(
            r#"{"current":"n:ew","previous":[{"secret":"old","until":"2023-11-14T22:13:21Z"}]}"#,
        )
        .unwrap();
        let now = unix_seconds("1700000000").unwrap();
        let code = |value: &str, at| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            basic(&delivery(&headers, at), "us", &password).map_or_else(|r| r.code(), |()| "taken")
        };
        let encoded = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        assert_eq!(code(&encoded("us:n:ew"), now), "taken");
        assert_eq!(code(&encoded("us:n:ew").replace("Basic", "basic"), now), "taken");
        assert_eq!(code(&encoded("us:old"), now), "taken");
        assert_eq!(code(&encoded("us:old"), now.plus(Duration::from_secs(1))), "signature_invalid");
        for wrong in ["us:n:e", "us:n:eww", "u:s:n:ew", "us", "", ":"] {
            assert_eq!(code(&encoded(wrong), now), "signature_invalid", "{wrong}");
        }
        for wrong in ["Basic", "Bearer dXM6bjpldw==", "Basic dXM6bjpldw", "Basic %"] {
            assert_eq!(code(wrong, now), "signature_invalid", "{wrong}");
        }
        assert_eq!(
            basic(&delivery(&HeaderMap::new(), now), "us", &password),
            Err(Rejection::SignatureMissing)
        );
    }
}
