//! Against fakes that answer what the official packages read, and only to requests as those make them.

use std::time::Duration;

use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path, query_param, query_param_is_missing},
};

use super::*;
use crate::{ClientConfig, ReceiptState};

const ANA: &str = "+15125550101";
const CLINIC: &str = "+15005550100";

fn look(page: Option<String>) -> Look {
    let since = Timestamp::from_micros(1_795_000_000_000_000);
    Look { since, until: since.plus(Duration::from_hours(1)), page }
}

const SINCE: &str = "2026-11-18T11:06:40Z";
const UNTIL: &str = "2026-11-18T12:06:40Z";

fn carriers() -> Carriers {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Carriers::new(&ClientConfig::default()).unwrap()
}

fn account(carrier: CarrierKind, json: &Value) -> Credentials {
    Credentials::from_json(carrier, json.to_string().as_bytes()).unwrap()
}

fn answer(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

/// All pages, with what was found.
async fn everything(credentials: &Credentials) -> Result<Vec<Listed>, FindError> {
    let (mut all, mut page) = (Vec::new(), None);
    for _ in 0..20 {
        let ListPage { items, next } = carriers().list_recent(credentials, &look(page)).await?;
        all.extend(items);
        match next {
            Some(next) => page = Some(next),
            None => return Ok(all),
        }
    }
    panic!("the list has no end")
}

/// What matters of what was found.
fn told(items: &[Listed]) -> Vec<(&str, &str, &str)> {
    items
        .iter()
        .map(|item| match item {
            Listed::Inbound(message) => {
                ("inbound", message.carrier_message_id.as_str(), message.body.as_str())
            }
            Listed::InboundId(id) => ("id", id.as_str(), ""),
            Listed::Wordless(message) => {
                ("wordless", message.carrier_message_id.as_str(), message.body.as_str())
            }
            Listed::Outbound(receipt) => (
                "outbound",
                receipt.carrier_message_id.as_str(),
                match receipt.state {
                    ReceiptState::Queued => "queued",
                    ReceiptState::Sent => "sent",
                    ReceiptState::Failed => "failed",
                    ReceiptState::Delivered => "delivered",
                },
            ),
        })
        .collect()
}

#[tokio::test]
async fn twilio_lists_the_account_and_its_subaccounts() {
    let server = MockServer::start().await;
    let message = |sid: &str, direction: &str, status: &str, media: &str| {
        json!({ "sid": sid, "account_sid": "AC1", "direction": direction, "status": status, "num_media": media,
            "from": ANA, "to": CLINIC, "body": format!("body of {sid}"), "num_segments": "1", "error_code": null,
            "date_created": "Wed, 18 Nov 2026 11:30:00 +0000" })
    };
    let list = "/2010-04-01/Accounts/AC1/Messages.json";
    let next = format!("{list}?PageSize=200&Page=1&PageToken=PA2");
    let first = json!({ "next_page_uri": next, "messages": [
        message("MM1", "inbound", "received", "0"), message("MM2", "outbound-api", "delivered", "0"),
        message("MM3", "inbound", "receiving", "0"), message("bad id", "inbound", "received", "0"),
    ] });
    Mock::given(method("GET"))
        .and(path(list))
        .and(query_param_is_missing("PageToken"))
        .and(query_param("DateSent>", SINCE))
        .and(query_param("DateSent<", UNTIL))
        .and(query_param("PageSize", "200"))
        .and(header("authorization", "Basic QUMxOm1haW4="))
        .respond_with(answer(first))
        .expect(1)
        .mount(&server)
        .await;
    let second = json!({ "next_page_uri": null, "messages": [message("MM4", "inbound", "received", "2")] });
    Mock::given(path(list))
        .and(query_param("PageToken", "PA2"))
        .and(header("authorization", "Basic QUMxOm1haW4="))
        .respond_with(answer(second))
        .expect(1)
        .mount(&server)
        .await;
    let subs = json!({ "messages": [message("MM5", "inbound", "received", "0")], "next_page_uri": null });
    Mock::given(path("/2010-04-01/Accounts/AC2/Messages.json"))
        .and(query_param("DateSent>", SINCE))
        .and(header("authorization", "Basic QUMyOnN1Yg=="))
        .respond_with(answer(subs))
        .expect(1)
        .mount(&server)
        .await;
    let credentials = account(
        CarrierKind::Twilio,
        &json!({ "account_sid": "AC1", "auth_token": "main", "api_base_url": server.uri(),
            "subaccounts": [{ "account_sid": "AC2", "auth_token": "sub" }] }),
    );
    let all = everything(&credentials).await.unwrap();
    let expected = [
        ("inbound", "MM1", "body of MM1"),
        ("outbound", "MM2", "delivered"),
        ("id", "MM4", ""),
        ("inbound", "MM5", "body of MM5"),
    ];
    assert_eq!(told(&all), expected);

    // One with files is read whole, from the account that has it.
    let whole = "/2010-04-01/Accounts/AC2/Messages/MM4";
    let mms = message("MM4", "inbound", "received", "2");
    Mock::given(path(format!("{whole}.json"))).respond_with(answer(mms)).mount(&server).await;
    let file = |sid: &str| json!({ "content_type": "image/jpeg", "sid": sid, "uri": format!("{whole}/Media/{sid}.json") });
    let files = json!({ "media_list": [file("ME1"), file("ME2")] });
    Mock::given(path(format!("{whole}/Media.json"))).respond_with(answer(files)).mount(&server).await;
    let read = carriers().read_listed(&credentials, "MM4").await.unwrap().unwrap();
    let urls: Vec<_> = read.media.iter().map(|media| media.url.as_str()).collect();
    assert_eq!(
        urls,
        [format!("{}{whole}/Media/ME1", server.uri()), format!("{}{whole}/Media/ME2", server.uri())]
    );
    assert_eq!(carriers().read_listed(&credentials, "MM0").await, Ok(None));
}

#[tokio::test]
async fn a_page_elsewhere_is_not_followed() {
    let server = MockServer::start().await;
    let page = json!({ "messages": [], "next_page_uri": "https://evil.example/2010-04-01/" });
    Mock::given(method("GET")).respond_with(answer(page)).mount(&server).await;
    let credentials = account(
        CarrierKind::Twilio,
        &json!({ "account_sid": "AC1", "auth_token": "main", "api_base_url": server.uri() }),
    );
    assert_eq!(everything(&credentials).await, Err(FindError::Malformed));
}

#[tokio::test]
async fn telnyx_lists_ids_and_reads_the_texts() {
    let server = MockServer::start().await;
    let records = |number: u32, data: Value| json!({ "data": data, "meta": { "page_number": number, "page_size": 50, "total_pages": 2, "total_results": 3 } });
    let first = json!([
        { "uuid": "m-1", "direction": "inbound", "status": "received", "record_type": "message_detail_record" },
        { "uuid": "m-2", "direction": "outbound", "status": "delivered", "record_type": "message_detail_record" },
    ]);
    let second =
        json!([{ "uuid": "m-3", "direction": "outbound", "status": "gw_reject", "errors": ["40300"] }]);
    for (number, data) in [(1, first), (2, second)] {
        Mock::given(method("GET"))
            .and(path("/v2/detail_records"))
            .and(query_param("filter[record_type]", "messaging"))
            .and(query_param("filter[created_at][gte]", SINCE))
            .and(query_param("filter[created_at][lt]", UNTIL))
            .and(query_param("page[number]", number.to_string()))
            .and(header("authorization", "Bearer KEY1"))
            .respond_with(answer(records(number, data)))
            .expect(1)
            .mount(&server)
            .await;
    }
    let base = format!("{}/v2", server.uri());
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let credentials =
        account(CarrierKind::Telnyx, &json!({ "api_key": "KEY1", "public_key": key, "api_base_url": base }));
    let all = everything(&credentials).await.unwrap();
    assert_eq!(
        told(&all),
        [("id", "m-1", ""), ("outbound", "m-2", "delivered"), ("outbound", "m-3", "failed")]
    );
    let Listed::Outbound(refused) = &all[2] else { panic!("{all:?}") };
    assert_eq!(refused.failure.as_ref().unwrap().code, "40300");

    let whole = json!({ "data": { "id": "m-1", "direction": "inbound", "record_type": "message", "type": "MMS",
        "from": { "phone_number": ANA }, "to": [{ "phone_number": CLINIC }], "text": "lost", "parts": 1,
        "media": [{ "url": "https://media.telnyx.com/1", "content_type": "image/png" }],
        "received_at": "2026-11-18T11:30:00.000+00:00" } });
    Mock::given(path("/v2/messages/m-1"))
        .and(header("authorization", "Bearer KEY1"))
        .respond_with(answer(whole))
        .mount(&server)
        .await;
    let read = carriers().read_listed(&credentials, "m-1").await.unwrap().unwrap();
    assert_eq!((read.body.as_str(), read.from.as_str(), read.to.as_str()), ("lost", ANA, CLINIC));
    assert_eq!(read.media[0].url, "https://media.telnyx.com/1");
    assert_eq!(carriers().read_listed(&credentials, "m-0").await, Ok(None), "older than ten days");
}

#[tokio::test]
async fn bandwidth_lists_everything_but_the_words() {
    let server = MockServer::start().await;
    let row = |id: &str, direction: &str, status: &str, recipients: u32| {
        json!({ "messageId": id, "accountId": "9900000", "sourceTn": ANA, "destinationTn": CLINIC,
            "messageStatus": status, "messageDirection": direction, "messageType": "sms", "segmentCount": 1,
            "errorCode": 4775, "receiveTime": "2026-11-18T11:30:00.000Z", "recipientCount": recipients })
    };
    let pages = [
        json!({ "totalCount": 4, "pageInfo": { "nextPage": "https://x", "nextPageToken": "T2" }, "messages": [
            row("b-1", "INBOUND", "RECEIVED", 1), row("b-2", "OUTBOUND", "DELIVERED", 1) ] }),
        json!({ "totalCount": 4, "pageInfo": { "nextPageToken": null }, "messages": [
            row("b-3", "INBOUND", "RECEIVED", 3), row("b-4", "OUTBOUND", "FAILED", 1) ] }),
    ];
    let [first, second] = pages;
    let list = || {
        Mock::given(method("GET"))
            .and(path("/api/v2/users/9900000/messages"))
            .and(query_param("fromDateTime", SINCE))
            .and(query_param("toDateTime", UNTIL))
            .and(query_param("limit", "1000"))
            .and(header("authorization", "Basic dXNlcjpwYXNz"))
    };
    list()
        .and(query_param_is_missing("pageToken"))
        .respond_with(answer(first))
        .expect(1)
        .mount(&server)
        .await;
    list().and(query_param("pageToken", "T2")).respond_with(answer(second)).expect(1).mount(&server).await;
    let credentials = account(
        CarrierKind::Bandwidth,
        &json!({ "account_id": "9900000", "application_id": "93de2206", "username": "user", "password": "pass",
            "callback_user_id": "u", "callback_password": "p", "api_base_url": format!("{}/api/v2", server.uri()) }),
    );
    let all = everything(&credentials).await.unwrap();
    // A group's text is left out: its webhooks know it by other ids.
    assert_eq!(
        told(&all),
        [("wordless", "b-1", ""), ("outbound", "b-2", "delivered"), ("outbound", "b-4", "failed")]
    );
}

#[tokio::test]
async fn vonage_lists_both_ways_by_cursor() {
    let server = MockServer::start().await;
    let record = |id: &str, body: Option<&str>| {
        json!({ "message_id": id, "from": "15125550101", "to": "15005550100", "message_body": body,
            "status": "delivered", "date_received": "2026-11-18T11:30:00+00:00", "direction": "inbound" })
    };
    let inbound = || {
        Mock::given(method("GET"))
            .and(path("/v2/reports/records"))
            .and(query_param("account_id", "abcd1234"))
            .and(query_param("product", "MESSAGES"))
            .and(query_param("direction", "inbound"))
            .and(query_param("include_message", "true"))
            .and(query_param("date_start", SINCE))
            .and(query_param("date_end", UNTIL))
            .and(header("authorization", "Basic YWJjZDEyMzQ6c2VjcmV0"))
    };
    let first = json!({ "request_status": "SUCCESS", "cursor": "C2", "iv": "I2", "records": [record("v-1", Some("lost"))] });
    inbound()
        .and(query_param_is_missing("cursor"))
        .respond_with(answer(first))
        .expect(1)
        .mount(&server)
        .await;
    let second = json!({ "request_status": "SUCCESS", "records": [record("v-2", None)] });
    inbound()
        .and(query_param("cursor", "C2"))
        .and(query_param("iv", "I2"))
        .respond_with(answer(second))
        .expect(1)
        .mount(&server)
        .await;
    let sent = json!({ "records": [record("v-3", None)] });
    Mock::given(path("/v2/reports/records"))
        .and(query_param("direction", "outbound"))
        .respond_with(answer(sent))
        .expect(1)
        .mount(&server)
        .await;
    let credentials = account(
        CarrierKind::Vonage,
        &json!({ "api_key": "abcd1234", "api_secret": "secret", "signature_secret": "s", "api_base_url": server.uri() }),
    );
    let all = everything(&credentials).await.unwrap();
    assert_eq!(
        told(&all),
        [("inbound", "v-1", "lost"), ("wordless", "v-2", ""), ("outbound", "v-3", "delivered")]
    );
}

#[tokio::test]
async fn who_offers_no_list_says_so() {
    let sandbox = account(CarrierKind::Sandbox, &json!({ "secret": "s" }));
    assert!(!CarrierKind::Sandbox.lists_messages());
    assert_eq!(carriers().list_recent(&sandbox, &look(None)).await, Err(FindError::NotOffered));
}
