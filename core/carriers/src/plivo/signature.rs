//! `X-Plivo-Signature-V3` and `-V2`: base64 of HMAC-SHA256 under the auth token.
//!
//! V3, as `plivo` 4.63 for Python computes it: the address, `?` and the sorted query, `.` and the sorted
//! parameters as names and values without separators, `.` and the nonce; for GET the parameters are the
//! query's. V2: the address without its query, then the nonce. Either header may hold several signatures,
//! separated by commas.

use hmac::Hmac;
use http::Method;
use sha2::Sha256;

use super::{PlivoCredentials, SignatureVersion};
use crate::{
    Delivery, Rejection,
    form::{Form, Params},
    verify,
};

/// Most signatures looked at in one header.
const MOST_SIGNATURES: usize = 8;

/// Checks the signature, then gives the parameters as clean text.
pub(super) fn verify(credentials: &PlivoCredentials, delivery: &Delivery<'_>) -> Result<Params, Rejection> {
    let get = delivery.method == Method::GET;
    if !get && delivery.method != Method::POST {
        return Err(Rejection::MethodNotAllowed { allow: "GET, POST" });
    }
    let (signature, nonce) = match credentials.signature_version {
        SignatureVersion::V3 => ("X-Plivo-Signature-V3", "X-Plivo-Signature-V3-Nonce"),
        SignatureVersion::V2 => ("X-Plivo-Signature-V2", "X-Plivo-Signature-V2-Nonce"),
    };
    let signatures = verify::proof(delivery, signature)?;
    let nonce = verify::proof(delivery, nonce)?;
    let query = Form::decode(delivery.query().unwrap_or_default().as_bytes());
    let form = Form::decode(if get { b"" } else { delivery.body });
    let url = delivery.endpoint.url(delivery.public_url);
    let base = url.split(['?', '#']).next().unwrap_or_default();

    let mut signed = base.as_bytes().to_vec();
    if credentials.signature_version == SignatureVersion::V3 {
        sign_params(&mut signed, &query, &form, get);
        signed.push(b'.');
    }
    signed.extend_from_slice(nonce.as_bytes());
    let given: Vec<_> = signatures
        .split(',')
        .take(MOST_SIGNATURES)
        .filter_map(|signature| verify::base64(signature.trim()).ok())
        .collect();
    credentials.auth_token.verify(delivery.received_at, |token| {
        given.iter().any(|signature| verify::is_mac::<Hmac<Sha256>>(token, &[&signed], signature))
    })?;
    Ok(if get { query } else { form }.into_text()?)
}

/// What V3 signs between the address and the nonce.
fn sign_params(signed: &mut Vec<u8>, query: &Form<'_>, form: &Form<'_>, get: bool) {
    let query = sorted(query);
    let form = sorted(form);
    if !query.is_empty() || !form.is_empty() {
        signed.push(b'?');
    }
    for (at, (name, value)) in query.iter().enumerate() {
        if at > 0 {
            signed.push(b'&');
        }
        signed.extend_from_slice(name);
        signed.push(b'=');
        signed.extend_from_slice(value);
    }
    if !get && !query.is_empty() && !form.is_empty() {
        signed.push(b'.');
    }
    for (name, value) in form {
        signed.extend_from_slice(name);
        signed.extend_from_slice(value);
    }
}

fn sorted<'a>(form: &'a Form<'_>) -> Vec<(&'a [u8], &'a [u8])> {
    let mut pairs: Vec<_> = form.pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    pairs.sort_unstable();
    pairs
}
