//! Against a fake carrier on this machine, and hosts that it must not be led to.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use serde_json::json;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

use super::*;
use crate::{CarrierKind, Carriers, ClientConfig};

const AT: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);
const LIMIT: usize = 64 * 1024;

fn carriers(permitted: &[&str]) -> Carriers {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let media_origins = permitted.iter().map(|origin| origin.parse().unwrap()).collect();
    Carriers::new(&ClientConfig { media_origins, ..ClientConfig::default() }).unwrap()
}

fn twilio(base: &str) -> Credentials {
    let json = json!({
        "account_sid": "AC1", "auth_token": "main", "api_base_url": base,
        "subaccounts": [{ "account_sid": "AC2", "auth_token": "sub" }],
    });
    Credentials::from_json(CarrierKind::Twilio, json.to_string().as_bytes()).unwrap()
}

fn authorization(request: &Request) -> Option<&str> {
    request.headers.get("authorization").map(|value| value.to_str().unwrap())
}

async fn answers(server: &MockServer, at: &str, response: ResponseTemplate) {
    Mock::given(method("GET")).and(path(at)).respond_with(response).mount(server).await;
}

#[tokio::test]
async fn the_account_shows_itself_to_the_carrier_and_not_to_where_it_redirects() {
    let (api, cdn) = (MockServer::start().await, MockServer::start().await);
    let there = format!("{}/kept/1", cdn.uri());
    let redirect = ResponseTemplate::new(307).insert_header("location", there.as_str());
    answers(&api, "/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1", redirect.clone()).await;
    answers(&api, "/2010-04-01/Accounts/AC2/Messages/MM1/Media/ME1", redirect).await;
    answers(&cdn, "/kept/1", ResponseTemplate::new(200).set_body_bytes(b"picture")).await;
    let carriers = carriers(&[&api.uri(), &cdn.uri()]);
    for (account, shown) in [("AC1", "Basic QUMxOm1haW4="), ("AC2", "Basic QUMyOnN1Yg==")] {
        let url = format!("{}/2010-04-01/Accounts/{account}/Messages/MM1/Media/ME1", api.uri());
        let fetched = carriers.fetch_media(&twilio(&api.uri()), &url, LIMIT, AT).await.unwrap();
        assert_eq!(fetched.bytes, b"picture");
        let asked = api.received_requests().await.unwrap();
        assert_eq!(authorization(asked.last().unwrap()), Some(shown));
    }
    let asked = cdn.received_requests().await.unwrap();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|request| authorization(request).is_none()), "the token went to another host");
}

#[tokio::test]
async fn nothing_but_the_public_internet_is_asked() {
    let api = MockServer::start().await;
    // Somebody's service on this machine, which must not hear of it.
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    let carriers = carriers(&[&api.uri()]);
    let credentials = twilio(&api.uri());
    let mut hostile = vec![
        (format!("http://127.0.0.1:{port}/"), "scheme"),
        (format!("https://127.0.0.1:{port}/"), "port"),
        ("https://127.0.0.1/".to_owned(), "private"),
        ("https://2130706433/".to_owned(), "private"),
        ("https://0x7f.1/".to_owned(), "private"),
        ("https://[::1]/".to_owned(), "private"),
        ("https://[::ffff:127.0.0.1]/".to_owned(), "private"),
        ("https://[::ffff:a9fe:a9fe]/latest/meta-data".to_owned(), "private"),
        ("https://169.254.169.254/latest/meta-data".to_owned(), "private"),
        ("https://10.0.0.7/".to_owned(), "private"),
        ("https://100.64.0.1/".to_owned(), "private"),
        ("https://localhost/".to_owned(), "private"),
        ("http://169.254.169.254/".to_owned(), "scheme"),
        ("ftp://8.8.8.8/".to_owned(), "scheme"),
        ("file:///etc/passwd".to_owned(), "scheme"),
        ("https://user:password@files.example/".to_owned(), "credentials"),
        ("no address".to_owned(), "malformed"),
    ];
    for (url, why) in &hostile {
        let error = carriers.fetch_media(&credentials, url, LIMIT, AT).await.unwrap_err();
        assert_eq!(error, FetchError::Address(why), "{url}");
    }
    // The same where a carrier's own host, which is let be asked, leads there.
    hostile.retain(|(url, why)| *why != "malformed" && !url.contains("user:"));
    for (at, (url, why)) in hostile.iter().enumerate() {
        let from = format!("/redirect/{at}");
        answers(&api, &from, ResponseTemplate::new(302).insert_header("location", url.as_str())).await;
        let from = format!("{}{from}", api.uri());
        let error = carriers.fetch_media(&credentials, &from, LIMIT, AT).await.unwrap_err();
        assert_eq!(error, FetchError::Address(why), "redirect to {url}");
    }
    assert!(inside.accept().is_err(), "the service inside was connected to");
}

#[tokio::test]
async fn redirects_end() {
    let api = MockServer::start().await;
    for at in 0..6 {
        let next = format!("/{}", at + 1);
        let redirect = ResponseTemplate::new(302).insert_header("location", next.as_str());
        answers(&api, &format!("/{at}"), redirect).await;
    }
    answers(&api, "/6", ResponseTemplate::new(200).set_body_bytes(b"far")).await;
    let carriers = carriers(&[&api.uri()]);
    let fetch = async |at: &str| {
        carriers.fetch_media(&twilio(&api.uri()), &format!("{}{at}", api.uri()), LIMIT, AT).await
    };
    assert_eq!(fetch("/3").await.unwrap().bytes, b"far");
    assert_eq!(fetch("/2").await.unwrap_err(), FetchError::Address("redirects"));
}

#[tokio::test]
async fn answers_mean_what_they_say() {
    let api = MockServer::start().await;
    let carriers = carriers(&[&api.uri()]);
    let later = Some(Duration::from_secs(7));
    for (status, expected) in [
        (404, FetchError::Missing(404)),
        (410, FetchError::Missing(410)),
        (401, FetchError::Forbidden(401)),
        (403, FetchError::Forbidden(403)),
        (429, FetchError::Unavailable { retry_after: later }),
        (500, FetchError::Unavailable { retry_after: later }),
        (204, FetchError::Unavailable { retry_after: later }),
    ] {
        let at = format!("/{status}");
        answers(&api, &at, ResponseTemplate::new(status).insert_header("retry-after", "7")).await;
        let url = format!("{}{at}", api.uri());
        let error = carriers.fetch_media(&twilio(&api.uri()), &url, LIMIT, AT).await.unwrap_err();
        assert_eq!(error, expected);
        assert!(!error.to_string().contains("127.0.0.1"));
    }
    answers(&api, "/large", ResponseTemplate::new(200).set_body_bytes(vec![7; LIMIT + 1])).await;
    let url = format!("{}/large", api.uri());
    let error = carriers.fetch_media(&twilio(&api.uri()), &url, LIMIT, AT).await.unwrap_err();
    assert_eq!(error, FetchError::TooLarge);
    assert_eq!(
        carriers.fetch_media(&twilio(&api.uri()), &url, LIMIT + 1, AT).await.unwrap().bytes.len(),
        LIMIT + 1
    );
}

/// One answer, byte by byte as given.
fn raw(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let _ = stream.write_all(&answer);
    });
    url
}

#[tokio::test]
async fn no_more_is_read_than_was_asked_for_whatever_the_answer_says() {
    // A length that is not true, one that is missing, and a transfer in pieces without an end.
    let endless = vec![b'x'; 4 * LIMIT];
    let head = |headers: &str| format!("HTTP/1.1 200 OK\r\n{headers}\r\n").into_bytes();
    let pieces: Vec<u8> =
        std::iter::repeat_n(b"1000\r\n".iter().copied().chain([b'x'; 4096]).chain(*b"\r\n"), 40)
            .flatten()
            .collect();
    for (answer, expected) in [
        ([head("Content-Length: 99999999999\r\n"), endless.clone()].concat(), FetchError::TooLarge),
        ([head("Connection: close\r\n"), endless].concat(), FetchError::TooLarge),
        ([head("Transfer-Encoding: chunked\r\n"), pieces].concat(), FetchError::TooLarge),
        // Cut off: what came is not the file.
        (
            [head("Content-Length: 1000\r\n"), b"half".to_vec()].concat(),
            FetchError::Unavailable { retry_after: None },
        ),
    ] {
        let url = raw(answer);
        let error = carriers(&[&url]).fetch_media(&twilio(&url), &url, LIMIT, AT).await.unwrap_err();
        assert_eq!(error, expected);
    }
    // What is compressed on its way stays so: it can't grow past the limit.
    let bomb =
        [head("Content-Encoding: gzip\r\nContent-Length: 4\r\n"), b"\x1f\x8b\x08\x00".to_vec()].concat();
    let url = raw(bomb);
    let fetched = carriers(&[&url]).fetch_media(&twilio(&url), &url, LIMIT, AT).await.unwrap();
    assert_eq!(fetched.bytes, b"\x1f\x8b\x08\x00");
}
