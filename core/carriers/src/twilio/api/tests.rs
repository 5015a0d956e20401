//! Against a fake Twilio, and against servers that misbehave.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

use anteroom_model::time::Timestamp;
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string, header, method, path, query_param},
};

use crate::{
    Address, CarrierKind, Carriers, ClientConfig, Credentials, FailureKind, FindError, NextStep,
    OutboundText, ReceiptState, SendError, SentQuery,
};

fn carriers() -> Carriers {
    // Every test of the process tries; the first one wins.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = ClientConfig {
        connect: Duration::from_secs(2),
        total: Duration::from_millis(2_500),
        ..ClientConfig::default()
    };
    Carriers::new(&config).unwrap()
}

fn account(base_url: &str) -> Credentials {
    let json = json!({
        "account_sid": "AC1", "auth_token": "main", "api_base_url": base_url,
        "subaccounts": [{
            "account_sid": "AC2", "auth_token": "sub", "numbers": ["+18005550102"], "messaging_service_sid": "MG1",
        }],
    });
    Credentials::from_json(CarrierKind::Twilio, json.to_string().as_bytes()).unwrap()
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn text() -> OutboundText {
    OutboundText {
        our_id: uuid::Uuid::from_u128(7).into(),
        to: address("+15558675310"),
        from: address("+18005550100"),
        body: "See you at 3 & bring your card 😀".into(),
        status_callback: "https://clinic.example/webhooks/twilio/7/status".into(),
        media_urls: Vec::new(),
        messaging_service: None,
        at: Timestamp::from_micros(SINCE),
    }
}

const MESSAGES: &str = "/2010-04-01/Accounts/AC1/Messages.json";
/// `AC1:main` in base64.
const BASIC: &str = "Basic QUMxOm1haW4=";

async fn answering(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path(MESSAGES)).respond_with(response).expect(1).mount(&server).await;
    server
}

async fn sending_to(server: &MockServer) -> Result<crate::Sent, SendError> {
    carriers().send(&account(&server.uri()), &text()).await
}

#[tokio::test]
async fn an_accepted_text_has_twilios_id() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(MESSAGES))
        .and(header("authorization", BASIC))
        .and(header("content-type", "application/x-www-form-urlencoded"))
        .and(body_string(
            "To=%2B15558675310&From=%2B18005550100&Body=See+you+at+3+%26+bring+your+card+%F0%9F%98%80\
             &StatusCallback=https%3A%2F%2Fclinic.example%2Fwebhooks%2Ftwilio%2F7%2Fstatus",
        ))
        .respond_with(ResponseTemplate::new(201).set_body_json(json!({
            "sid": "SM9", "status": "queued", "error_code": null, "error_message": null, "num_segments": "1",
        })))
        .expect(1)
        .mount(&server)
        .await;
    let sent = sending_to(&server).await.unwrap();
    assert_eq!(
        (sent.carrier_message_id.as_str(), sent.state, sent.failure),
        ("SM9", ReceiptState::Queued, None)
    );
}

#[tokio::test]
async fn a_subaccounts_number_sends_through_the_subaccount() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/2010-04-01/Accounts/AC2/Messages.json"))
        .and(header("authorization", "Basic QUMyOnN1Yg=="))
        .and(body_string(
            "To=%2B15558675310&From=%2B18005550102&Body=x&StatusCallback=&MessagingServiceSid=MG1",
        ))
        .respond_with(ResponseTemplate::new(201).set_body_json(json!({"sid": "SM9", "status": "accepted"})))
        .expect(1)
        .mount(&server)
        .await;
    let text = OutboundText {
        from: address("+18005550102"),
        body: "x".into(),
        status_callback: String::new(),
        ..text()
    };
    assert!(carriers().send(&account(&server.uri()), &text).await.is_ok());
}

#[tokio::test]
async fn a_refusal_is_explained_without_the_number() {
    let server = answering(ResponseTemplate::new(400).set_body_json(json!({
        "code": 21610, "message": "Attempt to send to unsubscribed recipient +15558675310", "status": 400,
    })))
    .await;
    let error = sending_to(&server).await.unwrap_err();
    assert_eq!(error.next_step(), NextStep::GiveUp);
    assert!(!format!("{error:?} {error}").contains("867"), "{error:?}");
    let SendError::Rejected(failure) = error else { panic!("{error:?}") };
    assert_eq!((failure.code.as_str(), failure.kind), ("21610", FailureKind::OptedOut));
}

#[tokio::test]
async fn refusals_without_a_code_and_by_the_account() {
    for (status, body, code, kind) in [
        (401, r#"{"code":20003}"#, "20003", FailureKind::Account),
        (403, "<html>", "http_403", FailureKind::Account),
        (400, "", "http_400", FailureKind::Other),
        (302, "", "http_302", FailureKind::Other),
    ] {
        let server =
            answering(ResponseTemplate::new(status).set_body_string(body).insert_header("location", "/"))
                .await;
        let SendError::Rejected(failure) = sending_to(&server).await.unwrap_err() else { panic!("{status}") };
        assert_eq!((failure.code.as_str(), failure.kind), (code, kind));
    }
}

#[tokio::test]
async fn rate_limits_are_honoured() {
    let server = answering(ResponseTemplate::new(429).insert_header("retry-after", "7")).await;
    let error = sending_to(&server).await.unwrap_err();
    assert_eq!(error, SendError::RateLimited { retry_after: Some(Duration::from_secs(7)) });
    assert_eq!(error.next_step(), NextStep::Retry(Some(Duration::from_secs(7))));

    let server = answering(ResponseTemplate::new(429).set_body_json(json!({"code": 20429}))).await;
    assert_eq!(sending_to(&server).await, Err(SendError::RateLimited { retry_after: None }));
}

#[tokio::test]
async fn trouble_at_twilio_is_checked_before_a_retry() {
    for status in [500, 502, 503] {
        let server = answering(ResponseTemplate::new(status).insert_header("retry-after", "3")).await;
        let retry_after = Some(Duration::from_secs(3));
        let error = sending_to(&server).await.unwrap_err();
        assert_eq!(error, SendError::Unavailable { status, retry_after });
        assert_eq!(error.next_step(), NextStep::CheckThenRetry(retry_after));
    }
    let server = answering(ResponseTemplate::new(504)).await;
    assert_eq!(sending_to(&server).await, Err(SendError::Ambiguous));
}

#[tokio::test]
async fn no_answer_in_time_is_ambiguous() {
    let late =
        ResponseTemplate::new(201).set_delay(Duration::from_secs(30)).set_body_json(json!({"sid": "SM9"}));
    let server = answering(late).await;
    let error = sending_to(&server).await.unwrap_err();
    assert_eq!((&error, error.next_step()), (&SendError::Ambiguous, NextStep::CheckOnly));
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_ambiguous() {
    let server = answering(ResponseTemplate::new(201).set_body_string("oops")).await;
    assert_eq!(sending_to(&server).await, Err(SendError::Ambiguous));
}

/// A server that reads the whole request, does `answer` and hangs up. Gives its address and the count of
/// requests once it is done.
fn rude(answer: &'static [u8]) -> (String, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        serve(stream, answer);
        // Long enough for a retry that must not come.
        listener.set_nonblocking(true).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        1 + std::iter::from_fn(|| listener.accept().ok()).count()
    });
    (url, thread)
}

fn serve(mut stream: TcpStream, answer: &[u8]) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    // The callback's address ends the body.
    while !request.ends_with(b"status") {
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "the request came in whole");
        request.extend_from_slice(&chunk[..read]);
    }
    stream.write_all(answer).unwrap();
}

#[tokio::test]
async fn a_reset_after_the_request_is_ambiguous_and_not_retried() {
    let answers: [&[u8]; 3] =
        [b"", b"HTTP/1.1 201 Cre", b"HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{\"sid\":"];
    for answer in answers {
        let (url, server) = rude(answer);
        assert_eq!(carriers().send(&account(&url), &text()).await, Err(SendError::Ambiguous));
        assert_eq!(server.join().unwrap(), 1, "one request, whatever became of it");
    }
}

#[tokio::test]
async fn what_never_connected_may_be_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = carriers().send(&account(&url), &text()).await.unwrap_err();
    assert_eq!((&error, error.next_step()), (&SendError::Connect, NextStep::Retry(None)));

    // Something answers, but not with TLS: the request itself was never written.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"hello?").unwrap());
    assert_eq!(carriers().send(&account(&url), &text()).await, Err(SendError::Connect));
    server.join().unwrap();
}

#[tokio::test]
async fn a_proxy_is_used_if_configured_and_its_refusal_sent_nothing() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let carriers = Carriers::new(&ClientConfig { proxy: Some(proxy), ..ClientConfig::default() }).unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let away = account("https://api.example");
    assert_eq!(carriers.send(&away, &text()).await, Err(SendError::Connect));
    assert!(server.join().unwrap().starts_with("CONNECT api.example:443 "));

    let fake = answering(ResponseTemplate::new(201).set_body_json(json!({"sid": "SM9"}))).await;
    assert!(carriers.send(&account(&fake.uri()), &text()).await.is_ok(), "this machine needs no proxy");
}

#[tokio::test]
async fn nul_is_refused_before_any_request() {
    let server = MockServer::start().await;
    let nul = OutboundText { body: "a\0b".into(), ..text() };
    let error = carriers().send(&account(&server.uri()), &nul).await.unwrap_err();
    assert!(matches!(error, SendError::Rejected(failure) if failure.code == "nul"));
    assert!(server.received_requests().await.unwrap().is_empty());
}

// --- find_sent ---

/// 2026-11-22T10:00:00Z, with microseconds that Twilio's dates don't have.
const SINCE: i64 = 1_795_341_600_123_456;

fn query() -> SentQuery {
    let OutboundText { our_id, to, from, body, .. } = text();
    SentQuery { our_id, to, from, body, since: Timestamp::from_micros(SINCE) }
}

fn listed(sid: &str, body: &str, created: &str) -> serde_json::Value {
    json!({
        "sid": sid, "body": body, "date_created": created, "date_sent": null, "status": "delivered",
        "direction": "outbound-api", "to": "+15558675310", "from": "+18005550100", "error_code": null,
    })
}

async fn page(server: &MockServer, messages: serde_json::Value, next: Option<&str>) {
    Mock::given(method("GET"))
        .and(path(MESSAGES))
        .and(header("authorization", BASIC))
        .and(query_param("To", "+15558675310"))
        .and(query_param("From", "+18005550100"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!({"messages": messages, "next_page_uri": next})),
        )
        .mount(server)
        .await;
}

#[tokio::test]
async fn what_was_taken_is_found_by_its_exact_body() {
    let server = MockServer::start().await;
    let body = text().body;
    let mut inbound = listed("SM4", &body, "Sun, 22 Nov 2026 10:00:05 +0000");
    inbound["direction"] = "inbound".into();
    let mut other_patient = listed("SM5", &body, "Sun, 22 Nov 2026 10:00:05 +0000");
    other_patient["to"] = "+15558675311".into();
    let mut failed = listed("SM2", &body, "Sun, 22 Nov 2026 10:00:09 +0000");
    failed["status"] = "undelivered".into();
    failed["error_code"] = 30003.into();
    let messages = json!([
        failed,
        listed("SM1", &body, "Sun, 22 Nov 2026 10:00:00 +0000"),
        listed("SM0", &body, "Sun, 22 Nov 2026 09:59:59 +0000"),
        listed("SM3", &format!("{body} "), "Sun, 22 Nov 2026 10:00:05 +0000"),
        inbound,
        other_patient,
    ]);
    page(&server, messages, None).await;
    let found = carriers().find_sent(&account(&server.uri()), &query()).await.unwrap();
    let shown: Vec<_> = found.iter().map(|f| (f.carrier_message_id.as_str(), f.state)).collect();
    assert_eq!(shown, [("SM1", ReceiptState::Delivered), ("SM2", ReceiptState::Failed)]);
    assert_eq!(found[0].created.to_string(), "2026-11-22T10:00:00.000000Z");
    assert_eq!(found[1].failure.as_ref().unwrap().kind, FailureKind::Unreachable);
}

#[tokio::test]
async fn the_list_is_read_page_by_page_but_not_for_ever() {
    let server = MockServer::start().await;
    let old = json!([listed("SM0", "another", "Sun, 22 Nov 2026 10:00:05 +0000")]);
    page(&server, old.clone(), Some("/2010-04-01/next?PageToken=1")).await;
    let second = json!({"messages": [listed("SM1", &text().body, "Sun, 22 Nov 2026 10:00:05 +0000")], "next_page_uri": null});
    let mock = Mock::given(method("GET")).and(path("/2010-04-01/next")).and(query_param("PageToken", "1"));
    let guard = mock
        .and(header("authorization", BASIC))
        .respond_with(ResponseTemplate::new(200).set_body_json(second))
        .expect(1);
    let guard = server.register_as_scoped(guard).await;
    let found = carriers().find_sent(&account(&server.uri()), &query()).await.unwrap();
    assert_eq!(found[0].carrier_message_id, "SM1");
    drop(guard);

    let endless = json!({"messages": old, "next_page_uri": "/2010-04-01/next?PageToken=1"});
    let mock = Mock::given(method("GET")).and(path("/2010-04-01/next"));
    mock.respond_with(ResponseTemplate::new(200).set_body_json(endless)).expect(4).mount(&server).await;
    assert_eq!(carriers().find_sent(&account(&server.uri()), &query()).await, Err(FindError::TooLong));
}

#[tokio::test]
async fn a_list_that_fails_proves_nothing() {
    let server = MockServer::start().await;
    page(&server, json!([]), Some("https://evil.example/2010-04-01/")).await;
    assert_eq!(carriers().find_sent(&account(&server.uri()), &query()).await, Err(FindError::Malformed));

    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "2");
    Mock::given(method("GET")).respond_with(busy).mount(&server).await;
    let refused = FindError::Refused { status: 503, retry_after: Some(Duration::from_secs(2)) };
    assert_eq!(carriers().find_sent(&account(&server.uri()), &query()).await, Err(refused));

    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_string("{}"))
        .mount(&server)
        .await;
    assert_eq!(carriers().find_sent(&account(&server.uri()), &query()).await, Err(FindError::Malformed));

    let gone = account("http://127.0.0.1:1");
    assert_eq!(carriers().find_sent(&gone, &query()).await, Err(FindError::Unreachable));
}

#[tokio::test]
async fn nothing_found_is_an_empty_list() {
    let server = MockServer::start().await;
    page(&server, json!([]), None).await;
    assert_eq!(carriers().find_sent(&account(&server.uri()), &query()).await, Ok(Vec::new()));
}
