//! What we send is what the carriers' own packages send, byte for byte where it is signed.

use std::collections::BTreeMap;

use anteroom_carriers::{
    Address, CarrierKind, Carriers, ClientConfig, Credentials, OutboundText, ReceiptState, SendError,
};
use anteroom_model::time::Timestamp;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::vectors::{CARRIERS, Vectors, credentials};

pub(crate) fn carriers() -> Carriers {
    // Every test of the process tries; the first one wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Carriers::new(&ClientConfig::default()).unwrap()
}

/// The account, whose API is at `server`.
pub(crate) fn account(vectors: &Vectors, send: &Value, server: &str) -> Credentials {
    let mut json = send.get("credentials").unwrap_or(&vectors.credentials).clone();
    let field = vectors.base_url_field.as_deref().unwrap_or("api_base_url");
    json[field] = format!("{server}{}", vectors.base_url_suffix).into();
    if json["api"] == "sms" {
        json["rest_base_url"] = server.into();
    }
    credentials(vectors.carrier, &json)
}

pub(crate) fn text(text: &Value) -> OutboundText {
    let word = |name: &str| text[name].as_str().unwrap();
    OutboundText {
        our_id: word("our_id").parse().unwrap(),
        to: Address::parse(word("to")).unwrap(),
        from: Address::parse(word("from")).unwrap(),
        body: word("body").into(),
        status_callback: word("status_callback").into(),
        media_urls: serde_json::from_value(text["media_urls"].clone()).unwrap(),
        messaging_service: None,
        at: Timestamp::from_micros(text["at"].as_i64().unwrap() * 1_000_000),
    }
}

/// A form as pairs, sorted. (Python writes `True`.)
fn pairs(form: &[u8]) -> Value {
    let mut pairs: Vec<_> = url::form_urlencoded::parse(form).into_owned().collect();
    pairs.sort();
    json!(pairs)
}

fn check(vectors: &Vectors, vector: &Value, request: &Request) {
    let name = format!("{}: {}", vectors.carrier, vector["name"]);
    let wanted = &vector["request"];
    assert_eq!(request.method.as_str(), wanted["method"], "{name}");
    let path = format!("{}{}", vectors.path_prefix, wanted["path"].as_str().unwrap());
    assert_eq!(request.url.path(), path, "{name}");
    assert_eq!(request.url.query(), None, "{name}");
    let headers: BTreeMap<String, String> = serde_json::from_value(wanted["headers"].clone()).unwrap();
    for (header, value) in headers {
        let sent = request.headers.get(&header).map(|sent| sent.to_str().unwrap());
        assert_eq!(sent, Some(value.as_str()), "{name}: {header}");
    }
    match (wanted.get("json"), wanted.get("form")) {
        (Some(json), None) => {
            let sent: Value = serde_json::from_slice(&request.body).unwrap();
            assert_eq!(&sent, json, "{name}");
        }
        (None, Some(form)) => {
            let form: Value =
                serde_json::from_str(&form.to_string().replace("\"True\"", "\"true\"")).unwrap();
            assert_eq!(pairs(&request.body), form, "{name}");
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test]
async fn we_send_what_the_packages_send() {
    let carriers = carriers();
    for carrier in CARRIERS {
        let vectors = Vectors::read(carrier);
        for send in &vectors.sends {
            let server = MockServer::start().await;
            let status = u16::try_from(send["status"].as_u64().unwrap()).unwrap();
            let answer = ResponseTemplate::new(status).set_body_json(&send["answer"]);
            Mock::given(any()).respond_with(answer).expect(1).mount(&server).await;
            let account = account(&vectors, send, &server.uri());
            let sent = carriers.send(&account, &text(&send["text"])).await;
            let sent = sent.unwrap_or_else(|error| panic!("{carrier}: {}: {error:?}", send["name"]));
            assert_eq!(sent.carrier_message_id, send["sent"], "{carrier}");
            assert_eq!(sent.state, ReceiptState::Queued, "{carrier}");
            check(&vectors, send, &server.received_requests().await.unwrap()[0]);
        }
        println!("{carrier}: {} sends as {} makes them", vectors.sends.len(), vectors.packages.join(", "));
    }
}

/// What every carrier's API may answer, and what then is known.
#[tokio::test]
async fn answers_mean_the_same_at_every_carrier() {
    let carriers = carriers();
    for carrier in CARRIERS {
        let vectors = Vectors::read(carrier);
        let send = &vectors.sends[0];
        for (status, body, expected) in [
            (429, "", "rate_limited"),
            (500, "<html>", "unavailable"),
            (503, "", "unavailable"),
            (504, "", "ambiguous"),
            (408, "", "unavailable"),
            (400, "not json", "rejected"),
            (401, "{}", "rejected"),
            (302, "", "rejected"),
            (200, "not json", "ambiguous"),
            (200, "{}", "ambiguous"),
        ] {
            let server = MockServer::start().await;
            let answer = ResponseTemplate::new(status).set_body_string(body);
            Mock::given(any()).respond_with(answer).mount(&server).await;
            let account = account(&vectors, send, &server.uri());
            let error = carriers.send(&account, &text(&send["text"])).await.unwrap_err();
            assert_eq!(error.code(), expected, "{carrier}: {status} {body}");
            if let SendError::Rejected(failure) = error {
                assert!(failure.text.ends_with('.'), "{carrier}: {failure:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_carrier_that_cannot_be_reached_got_nothing() {
    let carriers = carriers();
    for carrier in CARRIERS {
        let vectors = Vectors::read(carrier);
        let send = &vectors.sends[0];
        // Port 1 of this machine: nobody listens.
        let account = account(&vectors, send, "http://127.0.0.1:1");
        let error = carriers.send(&account, &text(&send["text"])).await.unwrap_err();
        assert_eq!(error, SendError::Connect, "{carrier}");
        let nul = OutboundText { body: "a\0b".into(), ..text(&send["text"]) };
        let error = carriers.send(&account, &nul).await.unwrap_err();
        assert!(matches!(error, SendError::Rejected(failure) if failure.code == "nul"), "{carrier}");
    }
}

#[test]
fn every_carrier_has_vectors() {
    let without: Vec<_> = CarrierKind::ALL.iter().filter(|kind| !CARRIERS.contains(kind)).collect();
    // SMPP has a peer of its own: tests/smpp.
    assert_eq!(without, [&CarrierKind::Smpp, &CarrierKind::Sandbox]);
}
