//! `X-Twilio-Signature`: base64 of HMAC-SHA1, under the auth token, of the URL followed by every parameter's
//! name and value.
//!
//! Names are sorted; of a repeated name the distinct values are sorted; nothing is trimmed. JSON bodies are
//! covered by `bodySHA256` in the URL, which is then signed without parameters, as it is for GET. Twilio
//! signs the URL it was given, sometimes without its port or with the default one. SHA-1 is pinned:
//! `X-Twilio-Webhooks-Signature-Settings` is not obeyed, so nobody chooses the algorithm for us.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, Mac};
use http::{Method, header};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use crate::{
    Delivery, Malformed, Rejection, Secret,
    form::{Form, Params},
    inbound, verify,
};

/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "X-Twilio-Signature";

/// What Twilio would put into [`SIGNATURE_HEADER`] for a request to `url` (with its query) with `params` in
/// the body. For the demo's phone simulator and for tests.
pub fn sign(auth_token: &Secret, url: &str, params: &[(&str, &str)]) -> String {
    let pairs = params.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let parts = signed_parts(url, &signed_params(pairs));
    BASE64_STANDARD.encode(verify::mac::<Hmac<Sha1>>(auth_token, &parts).finalize().into_bytes())
}

/// A carrier that signs in this way.
pub(crate) struct Scheme<'a> {
    /// Headers that may hold the signature; the first that is there counts.
    pub(crate) headers: &'static [&'static str],
    /// Accounts with the secrets that their webhooks may be signed with, likeliest first.
    pub(crate) accounts: Vec<(&'a str, Vec<&'a Secret>)>,
    /// Whether JSON bodies may be signed as SignalWire does: hex HMAC-SHA1 of the URL and the body.
    pub(crate) signs_json: bool,
}

/// Checks the signature, then gives the parameters as clean text.
pub(crate) fn verify(scheme: &Scheme<'_>, delivery: &Delivery<'_>) -> Result<Params, Rejection> {
    let get = delivery.method == Method::GET;
    if !get && delivery.method != Method::POST {
        return Err(Rejection::MethodNotAllowed { allow: "GET, POST" });
    }
    let header = scheme.headers.iter().find(|name| delivery.headers.contains_key(**name));
    let header = verify::proof(delivery, header.ok_or(Rejection::SignatureMissing)?)?;
    let query = Form::decode(delivery.query().unwrap_or_default().as_bytes());

    if !get && !is_form(delivery) {
        return json(scheme, delivery, header, &query);
    }
    let signature = verify::base64(header)?;
    let check = Check { scheme, url: public_url(delivery), signature: &signature };
    if get {
        // That is a POST's address, called by another method.
        if query.first("bodySHA256").is_some() {
            return Err(Rejection::SignatureInvalid);
        }
        check.verify(query.first("AccountSid"), &[])?;
        return Ok(query.into_text()?);
    }
    let form = Form::decode(delivery.body);
    let signed = signed_params(form.pairs.iter().map(|(name, value)| (&**name, &**value)));
    let mut verified = check.verify(form.first("AccountSid"), &signed);
    if verified == Err(Rejection::SignatureInvalid) && body_hash_matches(&query, delivery.body) {
        verified = check.verify(form.first("AccountSid"), &[]);
    }
    verified?;
    Ok(form.into_text()?)
}

/// A JSON body is covered by its hash in the signed URL, or signed itself.
fn json(
    scheme: &Scheme<'_>,
    delivery: &Delivery<'_>,
    header: &str,
    query: &Form<'_>,
) -> Result<Params, Rejection> {
    let hashed = body_hash_matches(query, delivery.body);
    let direct = hex::decode(header).ok().filter(|_| scheme.signs_json);
    let (signature, signed): (_, &[&[u8]]) = match direct {
        Some(signature) => (signature, &[delivery.body]),
        // Without the hash nothing would cover the body.
        None if !hashed => return Err(Rejection::SignatureInvalid),
        None => (verify::base64(header)?, &[]),
    };
    let json: Option<Value> = serde_json::from_slice(delivery.body).ok();
    let account = json.as_ref().and_then(|json| json.get("AccountSid")?.as_str());
    let check = Check { scheme, url: public_url(delivery), signature: &signature };
    check.verify(account.map(str::as_bytes), signed)?;
    Ok(json_params(delivery.body, json)?)
}

fn is_form(delivery: &Delivery<'_>) -> bool {
    let Some(content_type) = delivery.headers.get(header::CONTENT_TYPE) else { return true };
    let essence = content_type.as_bytes().split(|b| *b == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

fn body_hash_matches(query: &Form<'_>, body: &[u8]) -> bool {
    let claimed = query.first("bodySHA256").and_then(|hash| hex::decode(hash).ok());
    claimed.is_some_and(|hash| Sha256::digest(body).as_slice().ct_eq(&hash).into())
}

/// The top level of a JSON body as parameters; what is nested is nothing we read.
fn json_params(body: &[u8], json: Option<Value>) -> Result<Params, Malformed> {
    std::str::from_utf8(body).map_err(|_| Malformed::Encoding)?;
    let Some(Value::Object(fields)) = json else { return Err(Malformed::Json) };
    let flat = fields.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        Value::Number(number) => Some((name, number.to_string())),
        Value::Bool(flag) => Some((name, flag.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    let clean = flat.map(|(name, value)| Ok((inbound::text(name)?, inbound::text(value)?)));
    Ok(Params(clean.collect::<Result<_, Malformed>>()?))
}

/// One signature to be checked.
struct Check<'a> {
    scheme: &'a Scheme<'a>,
    /// As Twilio was told, with the query as received.
    url: String,
    signature: &'a [u8],
}

impl Check<'_> {
    /// Looks for a token and a form of the URL that give the signature. The token is that of the account
    /// that the request names: numbers in a Messaging Service pool are signed by their owning subaccount.
    fn verify(&self, account_sid: Option<&[u8]>, params: &[&[u8]]) -> Result<(), Rejection> {
        let is_named = |sid: &str| account_sid.is_none_or(|named| sid.as_bytes() == named);
        let mut named = self
            .scheme
            .accounts
            .iter()
            .filter(|(sid, _)| is_named(sid))
            .flat_map(|(_, tokens)| tokens.iter().copied());
        let Some(token) = named.next() else { return Err(self.stranger(params)) };
        // Nearly always this one; the other forms of the URL are not even made.
        if is_signed(token, &self.url, params, self.signature) {
            return Ok(());
        }
        let urls = signed_urls(&self.url);
        let signed = std::iter::once(token).chain(named).any(|token| self.matches(token, &urls, params));
        if signed { Ok(()) } else { Err(Rejection::SignatureInvalid) }
    }

    /// The account named is not configured. If one of our tokens signed it all the same, a subaccount is
    /// missing from the configuration: worth its own word, which only those who know a token get to see.
    fn stranger(&self, params: &[&[u8]]) -> Rejection {
        let urls = signed_urls(&self.url);
        let mut tokens = self.scheme.accounts.iter().flat_map(|(_, tokens)| tokens.iter().copied());
        let ours = tokens.any(|token| self.matches(token, &urls, params));
        if ours { Rejection::WrongAccount } else { Rejection::SignatureInvalid }
    }

    fn matches(&self, token: &Secret, urls: &[String], params: &[&[u8]]) -> bool {
        urls.iter().any(|url| is_signed(token, url, params, self.signature))
    }
}

fn is_signed(token: &Secret, url: &str, params: &[&[u8]], signature: &[u8]) -> bool {
    verify::is_mac::<Hmac<Sha1>>(token, &signed_parts(url, params), signature)
}

fn signed_parts<'a>(url: &'a str, params: &[&'a [u8]]) -> Vec<&'a [u8]> {
    std::iter::once(url.as_bytes()).chain(params.iter().copied()).collect()
}

/// Names and values in signing order.
fn signed_params<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<&'a [u8]> {
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

/// The address that Twilio was given, with the query as received. Without a fragment, which holds Twilio's
/// connection overrides and never leaves it.
fn public_url(delivery: &Delivery<'_>) -> String {
    let configured = delivery.endpoint.url(delivery.public_url);
    let configured = configured.split('#').next().unwrap_or_default();
    let base = configured.split('?').next().unwrap_or_default();
    match delivery.query() {
        Some(query) => format!("{base}?{query}"),
        // A proxy may have dropped a query of our own.
        None => configured.to_owned(),
    }
}

/// The forms of `url` that Twilio may have signed, likeliest first: as it is, without port or with the
/// default one, without user and password; then the same of its normalised form.
fn signed_urls(url: &str) -> Vec<String> {
    let normalised = Url::parse(url).map(String::from).ok();
    let mut urls: Vec<String> = Vec::with_capacity(4);
    for url in std::iter::once(url.to_owned()).chain(normalised) {
        for form in port_forms(url) {
            if !urls.contains(&form) {
                urls.push(form);
            }
        }
    }
    urls
}

/// `url`, and the same with its port taken away or the scheme's default one added; likewise without user.
/// Only the authority is touched: every other character counts as it is.
fn port_forms(url: String) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url] };
    let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, host_port) = match authority.rfind('@') {
        Some(at) => authority.split_at(at + 1),
        None => ("", authority),
    };
    // The colons of an IPv6 address stand inside brackets.
    let port_at = host_port.rfind(':').filter(|at| !host_port[*at..].contains(']'));
    let host = port_at.map_or(host_port, |at| &host_port[..at]);
    let default = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let other = if port_at.is_some() { host.to_owned() } else { format!("{host}:{default}") };

    let mut forms = vec![format!("{scheme}://{user}{other}{tail}")];
    if !user.is_empty() {
        forms.push(format!("{scheme}://{host_port}{tail}"));
        forms.push(format!("{scheme}://{other}{tail}"));
    }
    forms.insert(0, url);
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Secret {
        Secret::new("12345".into())
    }

    /// The vectors of Twilio's own SDKs (twilio-python, `tests/unit/test_request_validator.py`).
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const PARAMS: &[(&str, &str)] = &[
        ("CallSid", "CA1234567890ABCDE"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
        ("Caller", "+14158675309"),
    ];

    #[test]
    fn twilios_published_signatures() {
        assert_eq!(sign(&token(), URL, PARAMS), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        let repeated = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234")];
        assert_eq!(sign(&token(), URL, &repeated), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
        let again = [&repeated[..], &[("Digits", "1234")]].concat();
        assert_eq!(sign(&token(), URL, &again), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
        let with_hash =
            format!("{URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620");
        assert_eq!(sign(&token(), &with_hash, &[]), "a9nBmqA0ju/hNViExpshrM61xv4=");
    }

    #[test]
    fn urls_with_and_without_port() {
        let cases: [(&str, &[&str]); 6] = [
            ("https://a.example/x?y:1", &["https://a.example/x?y:1", "https://a.example:443/x?y:1"]),
            ("http://a.example", &["http://a.example", "http://a.example:80"]),
            ("https://a.example:1234/x", &["https://a.example:1234/x", "https://a.example/x"]),
            ("https://[::1]/x", &["https://[::1]/x", "https://[::1]:443/x"]),
            ("https://[::1]:9/x", &["https://[::1]:9/x", "https://[::1]/x"]),
            (
                "https://u:p@a.example:9/@:1",
                &[
                    "https://u:p@a.example:9/@:1",
                    "https://u:p@a.example/@:1",
                    "https://a.example:9/@:1",
                    "https://a.example/@:1",
                ],
            ),
        ];
        for (url, expected) in cases {
            assert_eq!(port_forms(url.into()), expected);
        }
        assert_eq!(port_forms("nonsense".into()), ["nonsense"]);
    }
}
