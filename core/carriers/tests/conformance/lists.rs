//! Looking for a text that may have been sent, at carriers that list what they took.

use anteroom_carriers::{CarrierKind, FindError, FoundMessage, ReceiptState, SentQuery};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::{
    sends::{account, carriers, text},
    vectors::Vectors,
};

const AT: &str = "2026-11-18T11:06:45Z";

/// The first send of the carrier's vectors, asked about; the list answers `answer`.
async fn find(
    carrier: CarrierKind,
    status: u16,
    answer: &Value,
) -> (Result<Vec<FoundMessage>, FindError>, String) {
    let vectors = Vectors::read(carrier);
    let send = &vectors.sends[0];
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(status).set_body_json(answer)).mount(&server).await;
    let reply = text(&send["text"]);
    let query =
        SentQuery { our_id: reply.our_id, to: reply.to, from: reply.from, body: reply.body, since: reply.at };
    let found = carriers().find_sent(&account(&vectors, send, &server.uri()), &query).await;
    let requests = server.received_requests().await.unwrap();
    let asked = requests.first().map_or(String::new(), |request| {
        assert_eq!(request.method.as_str(), "GET");
        assert!(request.headers.contains_key("authorization"), "{carrier}");
        request.url.path().to_owned() + "?" + request.url.query().unwrap_or_default()
    });
    (found, asked)
}

fn ids(found: Result<Vec<FoundMessage>, FindError>) -> Vec<(String, ReceiptState, Option<String>)> {
    let found = found.unwrap().into_iter();
    found.map(|found| (found.carrier_message_id, found.state, found.failure.map(|f| f.code))).collect()
}

const OUR_ID: &str = "0192f0c1-2345-7abc-8def-0123456789ab";

#[tokio::test]
async fn by_our_id_where_the_carrier_keeps_it() {
    let ours = |id: &str| vec![(id.to_owned(), ReceiptState::Queued, None)];

    let batch =
        |id: &str, reference: &str| json!({ "id": id, "client_reference": reference, "created_at": AT });
    let list = json!({ "count": 2, "batches": [batch("a", OUR_ID), batch("b", "another")] });
    let (found, asked) = find(CarrierKind::Sinch, 200, &list).await;
    assert_eq!(ids(found), ours("a"));
    assert!(asked.starts_with("/xms/v1/plan0123/batches?") && asked.contains(OUR_ID), "{asked}");

    let log = json!({ "results": [{ "messageId": OUR_ID, "sentAt": "2026-11-18T11:06:45.000+0000",
        "status": { "groupName": "UNDELIVERABLE", "name": "UNDELIVERABLE_NOT_DELIVERED" },
        "error": { "id": 1, "name": "EC_UNKNOWN_SUBSCRIBER" } }] });
    let (found, asked) = find(CarrierKind::Infobip, 200, &log).await;
    assert_eq!(
        ids(found),
        [(OUR_ID.to_owned(), ReceiptState::Failed, Some("EC_UNKNOWN_SUBSCRIBER".to_owned()))]
    );
    assert_eq!(asked, format!("/sms/3/logs?messageId={OUR_ID}"));

    let record = |id: &str, reference: &str| json!({ "message_id": id, "client_ref": reference, "status": "delivered", "date_received": "2026-11-18T11:06:45+00:00" });
    let records = json!({ "records": [record("a", "another"), record("b", OUR_ID)] });
    let (found, asked) = find(CarrierKind::Vonage, 200, &records).await;
    assert_eq!(ids(found), [("b".to_owned(), ReceiptState::Delivered, None)]);
    assert!(asked.starts_with("/v2/reports/records?account_id=abcd1234&product=MESSAGES"), "{asked}");
}

#[tokio::test]
async fn by_what_is_told_of_it_elsewhere() {
    let listed = |id: &str, length: usize, at: &str| json!({ "messageId": id, "messageStatus": "SENT", "messageLength": length, "receiveTime": at });
    let length = "See you at 3 & bring your card 😀".chars().count();
    let early = "2026-11-18T11:06:38Z";
    let page = json!({ "messages": [listed("a", length, AT), listed("b", length + 1, AT), listed("c", length, early)] });
    let (found, asked) = find(CarrierKind::Bandwidth, 200, &page).await;
    assert_eq!(ids(found), [("a".to_owned(), ReceiptState::Sent, None)]);
    assert!(asked.starts_with("/api/v2/users/9900000/messages?sourceTn=%2B18005550100"), "{asked}");

    let object = |id: &str, state: &str, at: &str| json!({ "message_uuid": id, "message_state": state, "message_time": at, "error_code": "30" });
    let page = json!({ "meta": { "next": null }, "objects": [
        object("b", "failed", "2026-11-18 11:06:46+00:00"), object("a", "delivered", "2026-11-18 11:06:45+00:00"),
        object("c", "sent", "2026-11-18 11:06:30+00:00"),
    ] });
    let (found, asked) = find(CarrierKind::Plivo, 200, &page).await;
    let expected = [
        ("a".to_owned(), ReceiptState::Delivered, None),
        ("b".to_owned(), ReceiptState::Failed, Some("30".to_owned())),
    ];
    assert_eq!(ids(found), expected);
    assert!(asked.contains("from_number=18005550100&to_number=15558675310"), "{asked}");

    let message = json!({ "sid": "SW1", "status": "sent", "direction": "outbound-api", "to": "+15558675310",
        "from": "+18005550100", "body": "See you at 3 & bring your card 😀",
        "date_created": "Wed, 18 Nov 2026 11:06:45 +0000" });
    let page = json!({ "messages": [message], "next_page_uri": null });
    let (found, asked) = find(CarrierKind::SignalWire, 200, &page).await;
    assert_eq!(ids(found), [("SW1".to_owned(), ReceiptState::Sent, None)]);
    assert!(asked.starts_with("/api/laml/2010-04-01/Accounts/"), "{asked}");
}

#[tokio::test]
async fn lists_that_do_not_end_and_lists_that_are_none() {
    let endless = json!({ "messages": [], "pageInfo": { "nextPage": "https://x.example/2" } });
    assert_eq!(find(CarrierKind::Bandwidth, 200, &endless).await.0, Err(FindError::TooLong));
    let endless = json!({ "meta": { "next": "/v1/Account/x?offset=20" }, "objects": [] });
    assert_eq!(find(CarrierKind::Plivo, 200, &endless).await.0, Err(FindError::TooLong));
    for carrier in [
        CarrierKind::SignalWire,
        CarrierKind::Bandwidth,
        CarrierKind::Plivo,
        CarrierKind::Vonage,
        CarrierKind::Sinch,
        CarrierKind::Infobip,
    ] {
        assert_eq!(find(carrier, 200, &json!([])).await.0, Err(FindError::Malformed), "{carrier}");
        let refused = FindError::Refused { status: 403, retry_after: None };
        assert_eq!(find(carrier, 403, &json!({})).await.0, Err(refused), "{carrier}");
    }
    // AWS lists nothing; at Telnyx the same id is the same text.
    assert_eq!(find(CarrierKind::Aws, 200, &json!({})).await.0, Err(FindError::NotOffered));
    assert_eq!(find(CarrierKind::Telnyx, 200, &json!({})).await.0, Ok(Vec::new()));
    assert!(CarrierKind::Telnyx.dedupes_by_our_id() && !CarrierKind::Twilio.dedupes_by_our_id());
}
