//! The sandbox: a carrier of our own for the demo, for tests, and for trying a policy.
//!
//! Webhooks are JSON, signed with `X-Sandbox-Signature`: hex HMAC-SHA256 of the raw body under the
//! account's secret. Sending is local: always taken, under an id made of ours.

use anteroom_model::time::Timestamp;
use hmac::{Hmac, Mac};
use http::StatusCode;
use serde::Deserialize;
use sha2::Sha256;

use crate::{
    Answer, Delivery, Endpoint, Failure, FailureKind, Inbound, InboundMessage, Malformed, MediaRef,
    OutboundText, Part, Receipt, ReceiptState, Rejection, Secret, SendError, Sent,
    inbound::{address, message_id, text},
    json::{read, required},
    media::Access,
    rotation::Rotating,
    verify,
};

/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "X-Sandbox-Signature";

/// The webhook's answer.
pub(crate) const ACCEPTED: Answer =
    Answer { status: StatusCode::OK, content_type: "application/json", body: "{}" };

/// Links want nothing else.
pub(crate) const MEDIA_ACCESS: Access<'static> = Access::PLAIN;

/// `{ "secret": "…" }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxCredentials {
    /// Key of the signatures.
    pub secret: Rotating<Secret>,
}

/// Body of the messages webhook.
#[derive(Deserialize)]
struct Message {
    id: Option<String>,
    from: Option<String>,
    to: Option<String>,
    text: Option<String>,
    #[serde(default)]
    media: Vec<Media>,
    /// Which piece of a longer text it is; absent: it is whole.
    part: Option<Piece>,
}

#[derive(Deserialize)]
struct Piece {
    reference: String,
    number: u8,
    count: u8,
}

#[derive(Deserialize)]
struct Media {
    url: String,
    content_type: Option<String>,
}

/// Body of the status webhook.
#[derive(Deserialize)]
struct Report {
    id: Option<String>,
    /// `queued`, `sent`, `delivered` or `failed`.
    status: Option<String>,
    /// Why it failed.
    error: Option<String>,
    /// RFC 3339.
    at: Option<Timestamp>,
}

/// The signature of `body`: what [`SIGNATURE_HEADER`] must hold.
pub fn sign(secret: &Secret, body: &[u8]) -> String {
    hex::encode(verify::mac::<Hmac<Sha256>>(secret, &[body]).finalize().into_bytes())
}

pub(crate) fn verify_and_parse(
    credentials: &SandboxCredentials,
    delivery: &Delivery<'_>,
) -> Result<Inbound, Rejection> {
    verify::post_only(delivery)?;
    let signature = hex::decode(verify::proof(delivery, SIGNATURE_HEADER)?);
    let signature = signature.map_err(|_| Rejection::SignatureInvalid)?;
    credentials.secret.verify(delivery.received_at, |secret| {
        verify::is_mac::<Hmac<Sha256>>(secret, &[delivery.body], &signature)
    })?;
    Ok(match delivery.endpoint {
        Endpoint::Messages => {
            Inbound { messages: vec![message(read(delivery.body)?)?], receipts: Vec::new() }
        }
        Endpoint::Status => Inbound { messages: Vec::new(), receipts: vec![receipt(read(delivery.body)?)?] },
    })
}

fn message(message: Message) -> Result<InboundMessage, Malformed> {
    let media = message.media.into_iter().map(|media| {
        Ok(MediaRef { url: text(media.url)?, content_type: media.content_type.map(text).transpose()? })
    });
    let id = message_id("id", &required("id", message.id)?)?;
    let from = address("from", &required("from", message.from)?)?;
    let to = address("to", &required("to", message.to)?)?;
    let body = text(message.text.ok_or(Malformed::Missing("text"))?)?;
    let media = media.collect::<Result<_, Malformed>>()?;
    let part = message.part.and_then(|part| Part::new(part.reference, part.number, part.count));
    Ok(InboundMessage { media, part, ..InboundMessage::new(id, from, to, body) })
}

fn receipt(report: Report) -> Result<Receipt, Malformed> {
    let state = match required("status", report.status)?.as_str() {
        "queued" => ReceiptState::Queued,
        "sent" => ReceiptState::Sent,
        "delivered" => ReceiptState::Delivered,
        "failed" => ReceiptState::Failed,
        _ => return Err(Malformed::Field("status")),
    };
    let failure = report.error.map(text).transpose()?.map(|error| Failure {
        code: "sandbox".into(),
        kind: FailureKind::Other,
        text: error.into(),
    });
    let carrier_message_id = message_id("id", &required("id", report.id)?)?;
    Ok(Receipt { carrier_message_id, state, failure, at: report.at })
}

/// Takes every text. The id is made of ours, so sending again is the same message.
pub(crate) fn send(text: &OutboundText) -> Result<Sent, SendError> {
    if text.body.contains('\0') {
        return Err(SendError::Rejected(Failure::nul()));
    }
    Ok(Sent {
        carrier_message_id: format!("sandbox-{}", text.our_id),
        state: ReceiptState::Queued,
        failure: None,
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method};

    use super::*;

    const BODY: &str = r#"{"id":"m-1","from":"+15558675310","to":"8005550100","text":" hi\n","extra":1,
        "media":[{"url":"https://x.example/1","content_type":"image/png"}]}"#;

    fn deliver(
        endpoint: Endpoint,
        method: &Method,
        body: &[u8],
        signature: Option<&str>,
    ) -> Result<Inbound, Rejection> {
        let mut headers = HeaderMap::new();
        if let Some(signature) = signature {
            headers.insert(SIGNATURE_HEADER, HeaderValue::from_str(signature).unwrap());
        }
        let credentials = SandboxCredentials { secret: Rotating::new(Secret::new("key".into())) };
        let delivery = Delivery {
            endpoint,
            method,
            path_and_query: "/w",
            headers: &headers,
            body,
            public_url: "http://c.example/w",
            received_at: Timestamp::from_micros(0),
        };
        verify_and_parse(&credentials, &delivery)
    }

    fn signed(endpoint: Endpoint, body: &[u8]) -> Result<Inbound, Rejection> {
        deliver(endpoint, &Method::POST, body, Some(&sign(&Secret::new("key".into()), body)))
    }

    #[test]
    fn signature_is_plain_hmac_sha256() {
        // The well-known example of HMAC-SHA256 with key "key".
        let quick = b"The quick brown fox jumps over the lazy dog";
        let expected = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        assert_eq!(sign(&Secret::new("key".into()), quick), expected);
    }

    #[test]
    fn a_signed_message_is_read() {
        let inbound = signed(Endpoint::Messages, BODY.as_bytes()).unwrap();
        let [message] = &inbound.messages[..] else { panic!("{inbound:?}") };
        assert_eq!(message.carrier_message_id, "m-1");
        assert_eq!(message.from.as_str(), "+15558675310");
        assert_eq!(message.to.as_str(), "+18005550100");
        assert_eq!(message.body, " hi\n");
        assert_eq!(message.media[0].content_type.as_deref(), Some("image/png"));
    }

    #[test]
    fn whatever_is_not_signed_is_refused_first() {
        let post = Method::POST;
        let good = sign(&Secret::new("key".into()), BODY.as_bytes());
        let other = sign(&Secret::new("other".into()), BODY.as_bytes());
        let cases = [
            (&post, BODY.as_bytes(), None, "signature_missing"),
            (&post, BODY.as_bytes(), Some(""), "signature_missing"),
            (&post, BODY.as_bytes(), Some("zz"), "signature_invalid"),
            (&post, BODY.as_bytes(), Some(&good[..62]), "signature_invalid"),
            (&post, BODY.as_bytes(), Some(other.as_str()), "signature_invalid"),
            (&post, b"{not json", Some(good.as_str()), "signature_invalid"),
            (&Method::GET, BODY.as_bytes(), Some(good.as_str()), "method_not_allowed"),
        ];
        for (method, body, signature, code) in cases {
            assert_eq!(deliver(Endpoint::Messages, method, body, signature).unwrap_err().code(), code);
        }
    }

    #[test]
    fn what_is_malformed_says_how() {
        let cases: [(&[u8], &str); 9] = [
            (b"{", "bad_json"),
            (b"[]", "bad_json"),
            (b"\"\xff\"", "bad_encoding"),
            (br#"{"from":"+15558675310","to":"+18005550100","text":"x"}"#, "missing_field"),
            (br#"{"id":"1","from":"","to":"+18005550100","text":"x"}"#, "missing_field"),
            (br#"{"id":"1","from":"+15558675310","to":"+18005550100"}"#, "missing_field"),
            (br#"{"id":"1","from":"nobody","to":"+18005550100","text":"x"}"#, "bad_address"),
            (br#"{"id":"1","from":"+15558675310","to":"+18005550100","text":"a\u0000b"}"#, "nul"),
            (br#"{"id":"a b","from":"+15558675310","to":"+18005550100","text":"x"}"#, "bad_field"),
        ];
        for (body, code) in cases {
            let rejection = signed(Endpoint::Messages, body).unwrap_err();
            assert_eq!(rejection.code(), code, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn receipts_are_read() {
        let body =
            br#"{"id":"sandbox-1","status":"failed","error":"phone is off","at":"2026-11-22T10:00:00Z"}"#;
        let receipt = signed(Endpoint::Status, body).unwrap().receipts.remove(0);
        assert_eq!((receipt.carrier_message_id.as_str(), receipt.state), ("sandbox-1", ReceiptState::Failed));
        assert_eq!(receipt.failure.unwrap().text, "phone is off");
        assert_eq!(receipt.at.unwrap().to_string(), "2026-11-22T10:00:00.000000Z");
        assert_eq!(
            signed(Endpoint::Status, br#"{"id":"1","status":"lost"}"#).unwrap_err().code(),
            "bad_field"
        );
        assert_eq!(signed(Endpoint::Status, br#"{"status":"sent"}"#).unwrap_err().code(), "missing_field");
    }

    #[test]
    fn sending_again_is_the_same_message() {
        let text = OutboundText {
            our_id: uuid::Uuid::from_u128(7).into(),
            to: crate::Address::parse("+15558675310").unwrap(),
            from: crate::Address::parse("+18005550100").unwrap(),
            body: "hi".into(),
            status_callback: String::new(),
            media_urls: Vec::new(),
            messaging_service: None,
            at: Timestamp::from_micros(0),
        };
        let sent = send(&text).unwrap();
        assert_eq!(sent.state, ReceiptState::Queued);
        assert_eq!(send(&text).unwrap(), sent);
        assert!(sent.carrier_message_id.contains(&text.our_id.to_string()));
        let nul = OutboundText { body: "a\0".into(), ..text };
        assert!(matches!(send(&nul), Err(SendError::Rejected(failure)) if failure.code == "nul"));
    }
}
