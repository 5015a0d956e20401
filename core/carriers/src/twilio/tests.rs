//! Whole deliveries, signed as Twilio signs them.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use super::*;
use crate::CarrierKind;
use crate::credentials::Credentials;

const PUBLIC: &str = "https://clinic.example/webhooks/twilio/7";
const PATH: &str = "/webhooks/twilio/7";

fn credentials() -> TwilioCredentials {
    let json = br#"{"account_sid":"AC1","auth_token":"main","previous_auth_tokens":["old"],
        "subaccounts":[{"account_sid":"AC2","auth_token":"sub"}]}"#;
    match Credentials::from_json(CarrierKind::Twilio, json).unwrap() {
        Credentials::Twilio(twilio) => twilio,
        _ => unreachable!(),
    }
}

/// A request to be, signed with `token` unless told otherwise.
struct Request {
    endpoint: Endpoint,
    method: Method,
    public_url: String,
    path_and_query: String,
    content_type: Option<&'static str>,
    signature: Option<String>,
    body: Vec<u8>,
}

impl Request {
    fn form(params: &[(&str, &str)], token: &str) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        Self {
            endpoint: Endpoint::Messages,
            method: Method::POST,
            public_url: PUBLIC.into(),
            path_and_query: PATH.into(),
            content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
            signature: Some(sign(&Secret::new(token.into()), PUBLIC, params)),
            body: body.into_bytes(),
        }
    }

    fn json(body: &str, token: &str) -> Self {
        use sha2::Digest;
        let query = format!("bodySHA256={}", hex::encode(sha2::Sha256::digest(body)));
        Self {
            path_and_query: format!("{PATH}?{query}"),
            content_type: Some("application/json"),
            signature: Some(sign(&Secret::new(token.into()), &format!("{PUBLIC}?{query}"), &[])),
            body: body.into(),
            ..Self::form(&[], token)
        }
    }

    fn send(&self) -> Result<Inbound, Rejection> {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(signature) = &self.signature {
            let name = HeaderName::from_bytes(SIGNATURE_HEADER.as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_str(signature).unwrap());
        }
        let delivery = Delivery {
            endpoint: self.endpoint,
            method: &self.method,
            path_and_query: &self.path_and_query,
            headers: &headers,
            body: &self.body,
            public_url: &self.public_url,
            received_at: anteroom_model::time::Timestamp::from_micros(0),
        };
        verify_and_parse(&credentials(), &delivery)
    }

    fn code(&self) -> &'static str {
        self.send().map_or_else(|rejection| rejection.code(), |_| "taken")
    }
}

const TEXT: &[(&str, &str)] = &[
    ("ToCountry", "US"),
    ("MessageSid", "SM0123456789abcdef0123456789abcdef"),
    ("AccountSid", "AC1"),
    ("From", "+15558675310"),
    ("To", "+18005550100"),
    ("Body", "  my knee hurts \n😀  "),
    ("NumSegments", "2"),
    ("NumMedia", "2"),
    ("MediaUrl0", "https://api.twilio.com/m/0"),
    ("MediaContentType0", "image/jpeg"),
    ("MediaUrl1", "https://api.twilio.com/m/1"),
    ("OptOutType", "HELP"),
    ("SomethingNew", ""),
];

/// [`TEXT`] with `name` set to `value`, or without it.
fn text_with<'a>(name: &'a str, value: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let others = TEXT.iter().copied().filter(|(other, _)| *other != name);
    others.chain(value.map(|value| (name, value))).collect()
}

#[test]
fn a_signed_text_is_read_whole() {
    let inbound = Request::form(TEXT, "main").send().unwrap();
    assert!(inbound.receipts.is_empty());
    let [message] = &inbound.messages[..] else { panic!("{inbound:?}") };
    assert_eq!(message.carrier_message_id, "SM0123456789abcdef0123456789abcdef");
    assert_eq!((message.from.as_str(), message.to.as_str()), ("+15558675310", "+18005550100"));
    assert_eq!(message.body, "  my knee hurts \n😀  ");
    assert_eq!(message.segments, Some(2));
    assert_eq!(message.opt_out_type, Some(OptOutType::Help));
    assert_eq!(message.carrier_account.as_deref(), Some("AC1"));
    let media: Vec<_> = message.media.iter().map(|m| (m.url.as_str(), m.content_type.as_deref())).collect();
    assert_eq!(
        media,
        [("https://api.twilio.com/m/0", Some("image/jpeg")), ("https://api.twilio.com/m/1", None)]
    );
}

#[test]
fn trimming_or_changing_anything_breaks_the_signature() {
    for (name, value) in [("Body", "my knee hurts \n😀"), ("SomethingNew", "x"), ("From", "+15558675311")] {
        let forged = Request {
            body: Request::form(&text_with(name, Some(value)), "").body,
            ..Request::form(TEXT, "main")
        };
        assert_eq!(forged.code(), "signature_invalid", "{name}");
    }
    let dropped = Request {
        body: Request::form(&text_with("SomethingNew", None), "").body,
        ..Request::form(TEXT, "main")
    };
    assert_eq!(dropped.code(), "signature_invalid", "an empty parameter's name is signed too");
}

#[test]
fn the_token_is_that_of_the_account_named() {
    let of_sub = text_with("AccountSid", Some("AC2"));
    assert_eq!(Request::form(&of_sub, "sub").code(), "taken");
    assert_eq!(Request::form(&of_sub, "main").code(), "signature_invalid");
    assert_eq!(Request::form(TEXT, "sub").code(), "signature_invalid");
    assert_eq!(Request::form(TEXT, "old").code(), "taken", "a token being rotated out");
    let stranger = text_with("AccountSid", Some("AC3"));
    assert_eq!(Request::form(&stranger, "main").code(), "wrong_account");
    assert_eq!(Request::form(&stranger, "guess").code(), "signature_invalid");
    assert_eq!(Request::form(&text_with("AccountSid", None), "sub").code(), "taken");
}

#[test]
fn repeated_parameters_are_signed_once_per_value() {
    let mut params = TEXT.to_vec();
    params.extend([("Extra", "b"), ("Extra", "a"), ("Extra", "b"), ("Body", "second")]);
    let inbound = Request::form(&params, "main").send().unwrap();
    assert_eq!(inbound.messages[0].body, "  my knee hurts \n😀  ", "the first counts");
}

#[test]
fn the_url_may_be_signed_in_other_forms() {
    let cases = [
        // (configured, request line, signed)
        ("https://c.example/w", "/w", "https://c.example/w"),
        ("https://c.example/w", "/w", "https://c.example:443/w"),
        ("http://c.example/w", "/w", "http://c.example:80/w"),
        ("https://c.example:8443/w", "/w", "https://c.example:8443/w"),
        ("https://c.example:8443/w", "/w", "https://c.example/w"),
        ("https://C.Example/w", "/w", "https://c.example/w"),
        ("https://c.example/w", "/inner/w?a=b%20c&d=%7e", "https://c.example/w?a=b%20c&d=%7e"),
        ("https://c.example/w?own=1", "/w?own=1", "https://c.example/w?own=1"),
        ("https://c.example/w?own=1", "/w", "https://c.example/w?own=1"),
        ("https://c.example/w#rc=2", "/w", "https://c.example/w"),
        ("https://u:p@c.example/w", "/w", "https://c.example/w"),
        ("https://u:p@c.example/w", "/w", "https://u:p@c.example/w"),
    ];
    for (public_url, line, signed) in cases {
        let request = Request {
            public_url: public_url.into(),
            path_and_query: line.into(),
            signature: Some(sign(&Secret::new("main".into()), signed, TEXT)),
            ..Request::form(TEXT, "main")
        };
        assert_eq!(request.code(), "taken", "{public_url} {line} {signed}");
    }
    for signed in [
        "http://c.example/w",
        "https://c.example/w/",
        "https://c.example:444/w",
        "https://c.example/w?x",
        "https://evil.example/w",
    ] {
        let request = Request {
            public_url: "https://c.example/w".into(),
            signature: Some(sign(&Secret::new("main".into()), signed, TEXT)),
            ..Request::form(TEXT, "main")
        };
        assert_eq!(request.code(), "signature_invalid", "{signed}");
    }
}

#[test]
fn get_is_signed_by_its_url_alone() {
    let query = String::from_utf8(Request::form(TEXT, "").body).unwrap();
    let signed = format!("{PUBLIC}?{query}");
    let request = Request {
        method: Method::GET,
        path_and_query: format!("{PATH}?{query}"),
        content_type: None,
        signature: Some(sign(&Secret::new("main".into()), &signed, &[])),
        body: Vec::new(),
        ..Request::form(TEXT, "main")
    };
    assert_eq!(request.send().unwrap().messages[0].body, "  my knee hurts \n😀  ");
    let forged = Request { path_and_query: format!("{PATH}?{query}&Body=x"), ..request };
    assert_eq!(forged.code(), "signature_invalid");
}

#[test]
fn json_is_covered_by_its_hash() {
    let json = r#"{"MessageSid":"SM1","AccountSid":"AC2","From":"+15558675310","To":"+18005550100","Body":" x ","NumSegments":1,"More":{"a":[]}}"#;
    let message = Request::json(json, "sub").send().unwrap().messages.remove(0);
    assert_eq!((message.body.as_str(), message.segments), (" x ", Some(1)));

    assert_eq!(Request::json(json, "main").code(), "signature_invalid", "AC2's token is needed");
    let changed = Request { body: json.replace(" x ", " y ").into(), ..Request::json(json, "sub") };
    assert_eq!(changed.code(), "signature_invalid");
    let unhashed = Request {
        path_and_query: PATH.into(),
        signature: Some(sign(&Secret::new("sub".into()), PUBLIC, &[])),
        ..Request::json(json, "sub")
    };
    assert_eq!(unhashed.code(), "signature_invalid", "nothing would cover the body");

    assert_eq!(Request::json("{", "main").code(), "bad_json");
    assert_eq!(Request::json("[]", "main").code(), "bad_json");
    assert_eq!(Request::json(&json.replace(" x ", "\\u0000"), "sub").code(), "nul");
    // A form may be covered by its hash as well.
    let mut form = Request::json(std::str::from_utf8(&Request::form(TEXT, "").body).unwrap(), "main");
    form.content_type = Some("application/x-www-form-urlencoded");
    assert_eq!(form.code(), "taken");
}

#[test]
fn twilios_published_hash_vector_passes_as_a_whole() {
    let twilio: TwilioCredentials =
        serde_json::from_str(r#"{"account_sid":"AC1","auth_token":"12345"}"#).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("x-twilio-signature", HeaderValue::from_static("a9nBmqA0ju/hNViExpshrM61xv4="));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let delivery = Delivery {
        endpoint: Endpoint::Messages,
        method: &Method::POST,
        path_and_query: "/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
        headers: &headers,
        body: br#"{"property": "value", "boolean": true}"#,
        public_url: "https://mycompany.com/myapp.php",
        received_at: anteroom_model::time::Timestamp::from_micros(0),
    };
    let params = signature::verify(&twilio.scheme(delivery.received_at), &delivery).unwrap();
    assert_eq!((params.first("property"), params.first("boolean")), (Some("value"), Some("true")));
}

#[test]
fn twilios_published_port_vectors_pass() {
    let twilio: TwilioCredentials =
        serde_json::from_str(r#"{"account_sid":"AC1","auth_token":"12345"}"#).unwrap();
    let body =
        b"CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";
    for (public_url, expected) in [
        ("https://mycompany.com/myapp.php", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("https://mycompany.com:1234/myapp.php", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ("http://mycompany.com:1234/myapp.php", "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("https://mycompany.com/myapp.php", "kvajT1Ptam85bY51eRf/AJRuM3w="),
        ("http://mycompany.com/myapp.php", "0ZXoZLH/DfblKGATFgpif+LLRf4="),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("x-twilio-signature", HeaderValue::from_str(expected).unwrap());
        let delivery = Delivery {
            endpoint: Endpoint::Messages,
            method: &Method::POST,
            path_and_query: "/myapp.php?foo=1&bar=2",
            headers: &headers,
            body,
            public_url,
            received_at: anteroom_model::time::Timestamp::from_micros(0),
        };
        assert!(
            signature::verify(&twilio.scheme(delivery.received_at), &delivery).is_ok(),
            "{public_url} {expected}"
        );
    }
}

#[test]
fn unsigned_and_misused() {
    let good = || Request::form(TEXT, "main");
    assert_eq!(Request { signature: None, ..good() }.code(), "signature_missing");
    assert_eq!(Request { signature: Some(" ".into()), ..good() }.code(), "signature_missing");
    assert_eq!(Request { signature: Some("%%%".into()), ..good() }.code(), "signature_invalid");
    assert_eq!(Request { signature: Some("AAAA".into()), ..good() }.code(), "signature_invalid");
    for method in [Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH] {
        assert_eq!(Request { method, ..good() }.code(), "method_not_allowed");
    }
    let mut headers = HeaderMap::new();
    for _ in 0..2 {
        headers.append(SIGNATURE_HEADER, HeaderValue::from_str(&good().signature.unwrap()).unwrap());
    }
    let delivery = Delivery {
        endpoint: Endpoint::Messages,
        method: &Method::POST,
        path_and_query: PATH,
        headers: &headers,
        body: &good().body,
        public_url: PUBLIC,
        received_at: anteroom_model::time::Timestamp::from_micros(0),
    };
    assert_eq!(verify_and_parse(&credentials(), &delivery), Err(Rejection::SignatureMissing));
}

#[test]
fn what_is_signed_but_broken_says_how_and_what_is_forged_does_not() {
    let cases = [
        (text_with("From", None), "missing_field"),
        (text_with("To", Some("")), "missing_field"),
        (text_with("MessageSid", None), "missing_field"),
        (text_with("MessageSid", Some("SM 1")), "bad_field"),
        (text_with("From", Some("anonymous")), "bad_address"),
        (text_with("Body", Some("a\0b")), "nul"),
        (text_with("SomethingNew", Some("\0")), "nul"),
    ];
    for (params, code) in cases {
        assert_eq!(Request::form(&params, "main").code(), code, "{params:?}");
        assert_eq!(Request::form(&params, "guess").code(), "signature_invalid");
    }
    let no_media_no_body = [("MessageSid", "SM1"), ("From", "+15558675310"), ("To", "+18005550100")];
    assert_eq!(Request::form(&no_media_no_body, "main").code(), "missing_field");
    assert_eq!(Request::form(&text_with("Body", None), "main").code(), "taken", "only pictures");

    // Bytes that are no text are signed as the bytes they are.
    for (raw, decoded) in [("%FF", &b"\xff"[..]), ("%zz", b"%zz"), ("%", b"%")] {
        let mut signed = PUBLIC.as_bytes().to_vec();
        for part in [&b"AccountSidAC1Body"[..], decoded] {
            signed.extend_from_slice(part);
        }
        let request = Request {
            body: format!("AccountSid=AC1&Body={raw}").into_bytes(),
            signature: Some(sign_bytes("main", &signed)),
            ..Request::form(TEXT, "main")
        };
        assert_eq!(request.code(), "bad_encoding", "{raw}");
        let forged = Request { signature: Some(sign_bytes("guess", &signed)), ..request };
        assert_eq!(forged.code(), "signature_invalid", "{raw}");
    }
}

fn sign_bytes(token: &str, signed: &[u8]) -> String {
    use base64::Engine;
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = <Hmac<sha1::Sha1> as KeyInit>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(signed);
    base64::prelude::BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

fn status(params: &[(&str, &str)]) -> Result<Option<Receipt>, Rejection> {
    let signature = sign(&Secret::new("main".into()), &format!("{PUBLIC}/status"), params);
    let request = Request {
        endpoint: Endpoint::Status,
        path_and_query: format!("{PATH}/status"),
        signature: Some(signature),
        ..Request::form(params, "")
    };
    request.send().map(|inbound| inbound.receipts.into_iter().next())
}

#[test]
fn receipts_of_every_state() {
    let cases = [
        ("accepted", Some(ReceiptState::Queued)),
        ("scheduled", Some(ReceiptState::Queued)),
        ("queued", Some(ReceiptState::Queued)),
        ("sending", Some(ReceiptState::Queued)),
        ("sent", Some(ReceiptState::Sent)),
        ("delivered", Some(ReceiptState::Delivered)),
        ("read", Some(ReceiptState::Delivered)),
        ("undelivered", Some(ReceiptState::Failed)),
        ("failed", Some(ReceiptState::Failed)),
        ("canceled", Some(ReceiptState::Failed)),
        ("receiving", None),
        ("received", None),
        ("teleported", None),
    ];
    for (word, expected) in cases {
        let receipt =
            status(&[("AccountSid", "AC1"), ("MessageSid", "SM1"), ("MessageStatus", word)]).unwrap();
        assert_eq!(receipt.map(|receipt| receipt.state), expected, "{word}");
    }
    let failed = status(&[("MessageSid", "SM1"), ("MessageStatus", "undelivered"), ("ErrorCode", "30006")]);
    let failure = failed.unwrap().unwrap().failure.unwrap();
    assert_eq!((failure.code.as_str(), failure.kind), ("30006", crate::FailureKind::Landline));
    assert_eq!(status(&[("MessageSid", "SM1")]).unwrap_err().code(), "missing_field");
    assert_eq!(status(&[("MessageStatus", "sent")]).unwrap_err().code(), "missing_field");
}

#[test]
fn a_receipt_is_signed_for_its_own_url() {
    let params = [("MessageSid", "SM1"), ("MessageStatus", "sent")];
    let request = Request { endpoint: Endpoint::Status, ..Request::form(&params, "main") };
    assert_eq!(request.code(), "signature_invalid", "signed for the messages URL");
}
