//! A patient's text the whole way round, and back.

use std::time::Duration;

use anteroom_test_support::{Event, Sse, fresh_sid};
use serde_json::{Value, json};

use crate::{
    Clinic,
    clinic::{ANAS_PHONE, STRANGER, TEN_DLC, TOLL_FREE, id},
};

const TEXT: &str = "Hi, could I get a refill of my prescription? 🙏";
const REPLY: &str = "Of course, Ana & family – it's ready at 5+ pm. ¿Algo más?";

#[tokio::test(flavor = "multi_thread")]
async fn a_text_comes_in_and_the_answer_is_delivered_once() {
    let clinic = Clinic::open().await;
    let token = &clinic.anteroom.demo().staff("agent").token;
    let mut stream = Sse::open(clinic.anteroom.client(), clinic.anteroom.base(), token, None).await;
    assert_eq!(stream.until(|_| true).await[0].kind, "ready");

    clinic.text(ANAS_PHONE, TOLL_FREE, TEXT).await;
    let events = stream.until(|event| event.kind == "conversation.routed").await;
    assert_gapless(&events);
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["conversation.opened", "message.received", "identity.linked", "conversation.routed"],
        "{events:#?}"
    );

    let maya = clinic.api("Maya");
    let unassigned = maya.items("/api/v1/conversations?queue=unassigned").await;
    let [conversation] = &unassigned[..] else { panic!("{unassigned:#?}") };
    assert_eq!(events[0].data["conversation_id"], conversation["id"]);
    assert_eq!(conversation["peer"], ANAS_PHONE);
    assert_eq!(conversation["number"]["address"], TOLL_FREE);
    assert_eq!(conversation["patient"]["kind"], "profile");
    assert_eq!(conversation["assignee"], Value::Null);
    let conversation = id(conversation);

    let routed = clinic.told(conversation, "conversation.routed").await;
    let reason = routed[0]["data"]["reason"].as_str().expect("a reason");
    assert!(!reason.is_empty() && routed[0]["summary"].as_str().expect("a sentence").contains(reason));
    let messages = maya.messages(conversation).await;
    assert_eq!((&messages[0]["body"], &messages[0]["state"]), (&json!(TEXT), &json!("processed")));

    let accepted = maya.post(&format!("/api/v1/conversations/{conversation}/accept"), &Value::Null).await;
    assert_eq!(accepted.expect(200)["assignee"]["name"], "Maya Torres");
    assert_eq!(maya.items("/api/v1/conversations?queue=unassigned").await, Vec::<Value>::new());
    assert_eq!(maya.items("/api/v1/conversations?queue=mine").await.len(), 1);

    answered_once(&clinic, conversation).await;
}

/// A reply posted twice under one key is one message, sent once, and its receipts come in a bad order.
async fn answered_once(clinic: &Clinic, conversation: &str) {
    let maya = clinic.api("Maya");
    let path = format!("/api/v1/conversations/{conversation}/messages");
    let key = [("idempotency-key", "0b1e")];
    let reply = json!({ "body": REPLY });
    let (first, second) =
        tokio::join!(maya.post_with(&path, &key, &reply), maya.post_with(&path, &key, &reply));
    let (first, second) = (first.expect(201), second.expect(201));
    assert_eq!(first["id"], second["id"]);
    maya.post_with(&path, &key, &json!({ "body": "Another" })).await.problem(422, "idempotency-key-reused");

    let attempt = &clinic.twilio.wait_for(REPLY, 1).await[0];
    let account = clinic.account();
    assert_eq!(attempt.account_sid, account.account_sid);
    assert_eq!(attempt.basic, Some((account.account_sid.clone(), account.auth_token.clone())));
    assert_eq!(attempt.headers["content-type"], "application/x-www-form-urlencoded");
    let callback = format!("{}/status?m={}", account.public_url, id(&first));
    let mut form = attempt.form.clone();
    form.sort();
    let expected =
        [("Body", REPLY), ("From", TOLL_FREE), ("StatusCallback", callback.as_str()), ("To", ANAS_PHONE)];
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));

    let message = id(&first);
    let sent = clinic.message_in(conversation, message, "sent").await;
    assert!(sent["sent_at"].is_string() && sent["finished_at"].is_null(), "{sent}");
    clinic.receipt(attempt, "sent", None).await;
    assert_eq!(clinic.message(conversation, message).await["state"], "sent");
    clinic.receipt(attempt, "delivered", None).await;
    let delivered = clinic.message(conversation, message).await;
    assert_eq!(delivered["state"], "delivered");
    clinic.receipt(attempt, "sent", None).await;
    clinic.receipt(attempt, "undelivered", Some(30003)).await;
    assert_eq!(clinic.message(conversation, message).await, delivered, "late receipts change nothing");

    clinic.idle().await;
    assert_eq!(clinic.twilio.attempts_of(REPLY).len(), 1);
    let states: Vec<_> = clinic
        .told(conversation, "message.state")
        .await
        .into_iter()
        .filter(|entry| entry["data"]["message_id"] == message)
        .map(|entry| entry["data"]["state"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(states, ["sent", "delivered"]);
}

/// The demo without any options sends to a look-alike of its own, receipts included.
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_works_without_a_carrier() {
    let anteroom = crate::clinic::launch().demo(Some(crate::clinic::seeded().await)).await;
    let text = json!({ "from": STRANGER, "to": "+15005550100", "body": "Hello?" });
    for (to, state) in [("+15005550100", "delivered"), (TOLL_FREE, "delivered"), ("72345", "delivered")] {
        let mut text = text.clone();
        text["to"] = to.into();
        let answer = anteroom.anonymous().post("/simulator/api/texts", &text).await.expect(202);
        assert_eq!(answer["status"], 200, "{answer}");
        let thread =
            format!("/simulator/api/threads?from=%2B{}&to={}", &STRANGER[1..], to.replace('+', "%2B"));
        anteroom_test_support::eventually("the automatic answer", Duration::from_secs(20), async || {
            let items = anteroom.anonymous().items(&thread).await;
            items.iter().any(|m| m["direction"] == "outbound" && m["state"] == state).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_resumes_without_gap_or_repetition() {
    let mut clinic = Clinic::open().await;
    let token = clinic.anteroom.demo().staff("agent").token.clone();
    let open = async |clinic: &Clinic, resume| {
        Sse::open(clinic.anteroom.client(), clinic.anteroom.base(), &token, resume).await
    };
    let mut stream = open(&clinic, None).await;
    for number in 0..5 {
        clinic.text(STRANGER, TEN_DLC, &format!("Text {number}")).await;
    }
    clinic.idle().await;
    let all = stream.drain(Duration::from_secs(2)).await;
    let (ready, all) = all.split_first().expect("events");
    assert!(all.len() >= 6, "{all:#?}");
    assert_gapless(all);
    assert_eq!(ready.id.map(|id| id + 1), all[0].id);

    // At the beginning, in the middle and at the end; the last is what nothing follows.
    for cut in [0, all.len() / 2, all.len()] {
        let position = if cut == 0 { ready.id } else { all[cut - 1].id };
        let mut resumed = open(&clinic, position).await;
        let ready = resumed.next(Duration::from_secs(5)).await.expect("ready");
        assert_eq!((ready.kind.as_str(), ready.id), ("ready", position));
        let mut rest = Vec::new();
        while rest.len() < all.len() - cut {
            rest.push(resumed.next(Duration::from_secs(5)).await.expect("an event"));
        }
        assert_eq!(rest, all[cut..]);
    }

    // Across a restart, and on with what happens afterwards.
    let newest = all.last().and_then(|event| event.id);
    clinic.anteroom.restart().await;
    clinic.text(STRANGER, TEN_DLC, "After the restart").await;
    let mut resumed = open(&clinic, newest).await;
    let events = resumed.until(|event| event.kind == "message.received").await;
    assert_eq!(events[0].id, newest);
    assert_eq!(events[1].id, newest.map(|id| id + 1));

    // A position that this sequence never had.
    let mut lost = open(&clinic, Some(1_000_000)).await;
    let events = lost.until(|event| event.kind == "gap").await;
    assert_eq!(events.len(), 2, "ready, then gap: {events:#?}");
}

fn assert_gapless(events: &[Event]) {
    for pair in events.windows(2) {
        assert_eq!(pair[0].id.map(|id| id + 1), pair[1].id, "{pair:#?}");
    }
    for event in events {
        assert_eq!(event.data["seq"].as_i64(), event.id);
        assert_eq!(event.data["kind"], event.kind.as_str());
    }
}

/// Twilio delivers again when it has not seen our answer.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_deliveries_at_once_are_one_text() {
    let clinic = Clinic::open().await;
    let delivery = clinic.account().text_as(&fresh_sid(), STRANGER, TOLL_FREE, "Only once");
    let client = clinic.anteroom.client();
    futures::future::join_all((0..20).map(|_| delivery.taken(client))).await;
    let conversation = clinic.conversation_with(STRANGER, TOLL_FREE, "Only once").await;
    clinic.idle().await;
    // And once more, long after.
    clinic.deliver(&delivery).await;
    clinic.idle().await;
    let messages = clinic.api("lead").messages(id(&conversation)).await;
    let count = |direction: &str| messages.iter().filter(|m| m["direction"] == direction).count();
    assert_eq!((count("inbound"), count("outbound")), (1, 1), "{messages:#?}");
    assert_eq!(clinic.told(id(&conversation), "message.received").await.len(), 1);
    assert_eq!(clinic.twilio.attempts().len(), 1);
    let duplicates = "anteroom_inbound_messages_total{outcome=\"duplicate\"}";
    assert!((clinic.anteroom.metric(duplicates).await - 20.0).abs() < 0.5);
}
