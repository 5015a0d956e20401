//! What carriers say of registrations, against `vectors/registration.json`: the carriers' own packages made the
//! requests and read the answers (`generate/make_registration.py`). We must ask the same and read the same; and
//! what a number's carrier says must come to what it may do.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop at once")]

#[path = "conformance/exchanges.rs"]
mod exchanges;

use std::collections::{BTreeMap, BTreeSet};

use anteroom_carriers::{
    Address, CarrierKind, Carriers, CheckError, ClientConfig, Credentials, Probed, RegistrationQuery,
};
use anteroom_model::{
    registration::{self, PartState},
    states::{NumberKind, Registration},
    time::Timestamp,
};
use exchanges::{Accounts, Exchange, serve};
use serde::Deserialize;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header, method, path, query_param},
};

#[derive(Deserialize)]
struct Vectors {
    packages: Vec<String>,
    #[serde(flatten)]
    accounts: Accounts,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    carrier: CarrierKind,
    kind: NumberKind,
    number: String,
    messaging_service: Option<String>,
    exchanges: Vec<Exchange>,
    expect: Vec<PartState>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("vectors/registration.json")).unwrap()
}

fn carriers() -> Carriers {
    // Fails where another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    Carriers::new(&ClientConfig::default()).unwrap()
}

fn query<'a>(case: &'a Case, number: &'a Address) -> RegistrationQuery<'a> {
    RegistrationQuery {
        number,
        kind: case.kind,
        messaging_service: case.messaging_service.as_deref(),
        at: Timestamp::from_micros(1_795_000_000_000_000),
    }
}

#[tokio::test]
async fn we_ask_as_the_packages_do_and_read_what_they_read() {
    let vectors = vectors();
    assert_eq!(vectors.packages.len(), 4);
    let carriers = carriers();
    let mut asked = BTreeMap::new();
    for case in &vectors.cases {
        let server = serve(&case.exchanges).await;
        let account = vectors.accounts.of(case.carrier, &server.uri());
        let number = Address::parse(&case.number).unwrap();
        let mut said = carriers.registration(&account, &query(case, &number)).await.unwrap();
        let mut expect = case.expect.clone();
        said.sort_by_key(|part| part.part);
        expect.sort_by_key(|part| part.part);
        assert_eq!(said, expect, "{} {}", case.carrier, case.name);
        server.verify().await;
        *asked.entry(case.carrier).or_insert(0) += 1;
    }
    let least = [(CarrierKind::Twilio, 10), (CarrierKind::Telnyx, 20), (CarrierKind::Bandwidth, 5)];
    for (carrier, count) in least.into_iter().chain([(CarrierKind::Aws, 15)]) {
        assert!(asked[&carrier] >= count, "{carrier}: {}", asked[&carrier]);
    }
}

/// Of all that carriers were made to say above, only what has every part approved opens a number.
#[test]
fn only_what_has_every_part_approved_may_send() {
    let mut open = BTreeSet::new();
    for case in vectors().cases {
        let verdict = registration::judge(case.carrier.as_str(), case.kind, &case.expect);
        if verdict.registration == Registration::Approved {
            open.insert(format!("{} {}", case.carrier, case.name));
        } else {
            assert!(!verdict.missing.is_empty(), "{} {}", case.carrier, case.name);
        }
    }
    let expected = [
        "aws a short code",
        "aws campaign COMPLETE",
        "bandwidth toll-free: VERIFIED",
        "telnyx campaign MNO_PROVISIONED",
        "telnyx toll-free: Verified",
        "twilio approved",
        "twilio toll-free: TWILIO_APPROVED",
        "twilio toll-free: refused, then approved",
    ];
    assert_eq!(open.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_carrier_that_does_not_answer_says_nothing() {
    let vectors = vectors();
    let carriers = carriers();
    let number = Address::parse("+18005550100").unwrap();
    for carrier in [CarrierKind::Twilio, CarrierKind::Telnyx, CarrierKind::Bandwidth, CarrierKind::Aws] {
        let query = RegistrationQuery {
            number: &number,
            kind: NumberKind::TollFree,
            messaging_service: None,
            at: Timestamp::from_micros(1_795_000_000_000_000),
        };
        for (answer, code) in [
            (ResponseTemplate::new(500), "refused"),
            (ResponseTemplate::new(401), "credentials"),
            (ResponseTemplate::new(403), "credentials"),
            (ResponseTemplate::new(429).insert_header("retry-after", "7"), "rate_limited"),
            (ResponseTemplate::new(200).set_body_string("<html>"), "malformed"),
            (ResponseTemplate::new(302).insert_header("location", "https://evil.example/"), "refused"),
        ] {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(answer).mount(&server).await;
            let account = vectors.accounts.of(carrier, &server.uri());
            let error = carriers.registration(&account, &query).await.unwrap_err();
            assert_eq!(error.code(), code, "{carrier}");
        }
        let account = vectors.accounts.of(carrier, "http://127.0.0.1:9");
        assert_eq!(carriers.registration(&account, &query).await, Err(CheckError::Unreachable), "{carrier}");
    }
}

#[tokio::test]
async fn a_page_that_leads_elsewhere_is_not_followed() {
    let vectors = vectors();
    let evil = MockServer::start().await;
    let server = MockServer::start().await;
    let page = |next: Value| json!({ "verifications": [], "meta": { "key": "verifications", "next_page_url": next } });
    Mock::given(method("GET"))
        .and(path("/v1/Tollfree/Verifications"))
        .and(query_param("Page", "1"))
        .and(header("authorization", "Basic QUMxOnRva2Vu"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page(Value::Null)))
        .expect(1)
        .mount(&server)
        .await;
    let elsewhere = format!("{}/v1/Tollfree/Verifications?Page=1", evil.uri());
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page(json!(elsewhere))))
        .mount(&server)
        .await;
    let number = Address::parse("+18005550100").unwrap();
    let query = RegistrationQuery {
        number: &number,
        kind: NumberKind::TollFree,
        messaging_service: None,
        at: Timestamp::from_micros(0),
    };
    let said =
        carriers().registration(&vectors.accounts.of(CarrierKind::Twilio, &server.uri()), &query).await;
    assert_eq!(said.unwrap()[0].state, None);
    assert!(evil.received_requests().await.unwrap().is_empty(), "the credentials left the carrier");
}

#[tokio::test]
async fn a_test_call_reads_and_changes_nothing() {
    let vectors = vectors();
    let base = |carrier: CarrierKind, uri: &str| -> Credentials {
        let json = match carrier {
            CarrierKind::SignalWire => {
                json!({ "project_id": "p", "api_token": "t", "signing_key": "k", "space_url": uri })
            }
            CarrierKind::Plivo => json!({ "auth_id": "MA1", "auth_token": "t", "api_base_url": uri }),
            CarrierKind::Vonage => json!({
                "api_key": "k", "api_secret": "s", "signature_secret": "x", "api": "sms", "api_base_url": uri,
                "rest_base_url": uri,
            }),
            CarrierKind::Sinch => json!({
                "service_plan_id": "plan", "api_token": "t", "webhook_secret": "s", "api_base_url": uri,
            }),
            CarrierKind::Infobip => json!({
                "api_key": "k", "base_url": uri, "webhook_username": "u", "webhook_password": "p",
            }),
            _ => return vectors.accounts.of(carrier, uri),
        };
        Credentials::from_json(carrier, json.to_string().as_bytes()).unwrap()
    };
    let carriers = carriers();
    let now = Timestamp::from_micros(1_795_000_000_000_000);
    for (carrier, at) in [
        (CarrierKind::Twilio, "/2010-04-01/Accounts/AC1.json"),
        (CarrierKind::SignalWire, "/api/laml/2010-04-01/Accounts/p.json"),
        (CarrierKind::Telnyx, "/v2/balance"),
        (CarrierKind::Bandwidth, "/api/v2/users/9900000/media"),
        (CarrierKind::Plivo, "/v1/Account/MA1/"),
        (CarrierKind::Vonage, "/account/get-balance"),
        (CarrierKind::Sinch, "/xms/v1/plan/batches"),
        (CarrierKind::Infobip, "/account/1/balance"),
        (CarrierKind::Aws, "/"),
    ] {
        let server = MockServer::start().await;
        let read = if carrier == CarrierKind::Aws { "POST" } else { "GET" };
        Mock::given(method(read))
            .and(path(at))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
            .expect(1)
            .mount(&server)
            .await;
        assert_eq!(
            carriers.probe(&base(carrier, &server.uri()), now).await,
            Ok(Probed::Accepted),
            "{carrier}"
        );
        let requests = server.received_requests().await.unwrap();
        let signed = requests[0].headers.contains_key("authorization");
        assert!(signed, "{carrier}: nobody would know whose credentials these are");
        if carrier == CarrierKind::Aws {
            assert_eq!(requests[0].headers["x-amz-target"], "PinpointSMSVoiceV2.DescribeAccountAttributes");
        }
        server.reset().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(401)).mount(&server).await;
        let refused = carriers.probe(&base(carrier, &server.uri()), now).await;
        assert_eq!(refused.unwrap_err().code(), "credentials", "{carrier}");
    }
}
