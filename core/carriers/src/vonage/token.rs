//! JSON Web Tokens (RFC 7519), as far as Vonage uses them: HS256 in, RS256 out.

use anteroom_model::time::Timestamp;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::Hmac;
use ring::{rand::SystemRandom, signature::RSA_PKCS1_SHA256};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;

use super::ApplicationKey;
use crate::{Rejection, Secret, rotation::Rotating, verify};

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// What Vonage says about a webhook.
#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) api_key: Option<String>,
    pub(super) application_id: Option<String>,
    /// Hex SHA-256 of the body.
    pub(super) payload_hash: Option<String>,
    /// Seconds since 1970.
    pub(super) iat: Option<i64>,
}

/// The header of our tokens.
const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

/// Their claims, in the order of Vonage's own package.
#[derive(Serialize)]
struct Sent<'a> {
    jti: &'a str,
    application_id: &'a str,
    iat: i64,
    exp: i64,
}

/// The claims of a token that is signed with HS256, whatever its header asks for.
pub(super) fn verify(token: &str, secret: &Rotating<Secret>, at: Timestamp) -> Result<Claims, Rejection> {
    let (signed, signature) = token.rsplit_once('.').ok_or(Rejection::SignatureInvalid)?;
    let (header, claims) = signed.split_once('.').ok_or(Rejection::SignatureInvalid)?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| Rejection::SignatureInvalid)?;
    secret.verify(at, |secret| verify::is_mac::<Hmac<Sha256>>(secret, &[signed.as_bytes()], &signature))?;
    let header: Header = part(header).ok_or(Rejection::SignatureInvalid)?;
    if header.alg != "HS256" {
        return Err(Rejection::SignatureInvalid);
    }
    part(claims).ok_or(Rejection::SignatureInvalid)
}

fn part<T: DeserializeOwned>(encoded: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

/// A token for a request: good for 15 minutes, as those of Vonage's own SDKs.
///
/// `None` if the key can't sign, which a key that was read can.
pub(super) fn sign(key: &ApplicationKey, application_id: &str, jti: &str, at: Timestamp) -> Option<String> {
    let iat = at.micros().div_euclid(1_000_000);
    let claims = serde_json::to_string(&Sent { jti, application_id, iat, exp: iat + 15 * 60 }).ok()?;
    let encode = |part: &str| BASE64_URL_SAFE_NO_PAD.encode(part);
    let signed = format!("{}.{}", encode(HEADER), encode(&claims));
    let mut signature = vec![0; key.0.public().modulus_len()];
    // PKCS#1 v1.5 is deterministic; the randomness only blinds the computation.
    key.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}
