//! Receipts that come before the answer to their send, and texts in another order: the same final state.

use std::{collections::BTreeMap, time::Instant};

use anteroom_test_support::{PATIENCE, Plan, eventually, load::say};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    Engine, Site,
    site::{TEN_DLC, TOLL_FREE},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn receipts_and_texts_end_in_the_same_state_whatever_their_order_on_sqlite() {
    row(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn receipts_and_texts_end_in_the_same_state_whatever_their_order_on_postgres() {
    row(Engine::Postgres).await;
}

async fn row(engine: Engine) {
    let started = Instant::now();
    let site = Site::open(engine).await;
    let delivered = receipts(&site, 0, ["queued", "sending", "sent", "delivered"]).await;
    let failed = receipts(&site, 100, ["queued", "sending", "sent", "undelivered"]).await;
    let calm = ["Good morning", "Is the clinic open on Friday?", "I moved to another street", "Thank you"];
    let calm = texts(&site, TEN_DLC, 200, calm).await;
    let stopped = texts(&site, TOLL_FREE, 300, ["Good morning", "STOP", "Is that all?", "Bye"]).await;
    say(&format!(
        "receipts in 24 orders, each twice, before and after the send was answered, {0}: final states {1:?}, \
         {2:?}\nfour texts in 24 orders, {0}: {3} final state(s); with STOP among them {4}; all {5:.1?}",
        engine.name(),
        delivered.keys(),
        failed.keys(),
        calm.len(),
        stopped.len(),
        started.elapsed()
    ));
    let only = |ends: &Ends| ends.keys().cloned().collect::<Vec<_>>();
    assert_eq!(only(&delivered), [r#"["delivered",null]"#], "{delivered:#?}");
    assert_eq!(only(&failed), [r#"["failed","30003"]"#], "{failed:#?}");
    assert_eq!(calm.len(), 1, "{calm:#?}");
    assert_eq!(stopped.len(), 1, "{stopped:#?}");
    let stops =
        stopped.keys().all(|end| end.contains(r#""opted_out":true"#) && end.contains("no more texts"));
    assert!(stops && calm.keys().all(|end| end.contains(r#""opted_out":false"#)), "{stopped:#?} {calm:#?}");
}

/// All 24 orders of four things.
fn orders<T: Copy>(of: [T; 4]) -> Vec<[T; 4]> {
    let mut orders = Vec::new();
    for (a, b, c) in (0..4).flat_map(|a| (0..4).flat_map(move |b| (0..4).map(move |c| (a, b, c)))) {
        if a != b && a != c && b != c {
            orders.push([of[a], of[b], of[c], of[6 - a - b - c]]);
        }
    }
    orders
}

/// A phone that nobody in the demo has.
fn phone(number: usize) -> String {
    format!("+1512556{number:04}")
}

/// Final states, and the orders that led to each.
type Ends = BTreeMap<String, Vec<String>>;

/// A reply whose receipts come in a given order.
struct Case {
    order: [&'static str; 4],
    /// While the carrier is still answering the send, or after that.
    before: bool,
    body: String,
    /// Of its conversation's messages.
    path: String,
    message: String,
}

async fn receipts(site: &Site, first: usize, of: [&'static str; 4]) -> Ends {
    let (maya, doors, orders) = (site.api("Maya"), site.doors(), orders(of));
    site.twilio.hold();
    for (number, door) in (first..first + orders.len()).zip(doors.iter().cycle()) {
        door.account().text(&phone(number), TOLL_FREE, "Hello").taken(door.client()).await;
    }
    site.idle().await;
    let mut cases = Vec::new();
    for (number, order) in (first..).zip(orders) {
        let conversation = site.conversation(&phone(number), TOLL_FREE).await;
        let path = format!("/api/v1/conversations/{}/messages", conversation["id"].as_str().expect("an id"));
        for before in [true, false] {
            let body = format!("Receipts of {number}, before: {before}");
            site.twilio.plan(&body, &[if before { Plan::TakeAndHold } else { Plan::Take }]);
            let message = maya.post(&path, &json!({ "body": body })).await.expect(201);
            let message = message["id"].as_str().expect("an id").to_owned();
            cases.push(Case { order, before, body, path: path.clone(), message });
        }
    }
    for before in [true, false] {
        let now = cases.iter().filter(|case| case.before == before);
        join_all(now.map(|case| report(site, case))).await;
        site.twilio.release();
    }
    site.idle().await;
    let mut ends = Ends::new();
    for case in &cases {
        let message = message_of(site, case).await;
        let end = json!([message["state"], message["error_code"]]).to_string();
        ends.entry(end).or_default().push(format!("{:?}, before: {}", case.order, case.before));
    }
    ends
}

async fn message_of(site: &Site, case: &Case) -> Value {
    let messages = site.api("auditor").items(&case.path).await;
    messages.into_iter().find(|message| message["id"] == case.message).expect("the message")
}

/// Every receipt twice, each through another node.
async fn report(site: &Site, case: &Case) {
    let doors = site.doors();
    let attempt = site.twilio.wait_for(&case.body, 1).await.remove(0);
    if !case.before {
        eventually("the message is sent", PATIENCE * 3, async || {
            (message_of(site, case).await["state"] == "sent").then_some(())
        })
        .await;
    }
    let sid = attempt.sid.as_deref().expect("taken");
    let statuses = case.order.into_iter().flat_map(|status| [status, status]);
    for (status, door) in statuses.zip(doors.iter().cycle()) {
        let code = (status == "undelivered").then_some(30003);
        let receipt = door.account().receipt(attempt.param("StatusCallback"), sid, status, code);
        receipt.taken(door.client()).await;
    }
}

/// The same texts in every order, one after another; and all at once, a few times.
async fn texts(site: &Site, number: &str, first: usize, of: [&'static str; 4]) -> Ends {
    let (doors, orders) = (site.doors(), orders(of));
    let mut at_once = Vec::new();
    for (place, order) in orders.iter().enumerate() {
        for (body, door) in order.iter().zip(doors.iter().cycle()) {
            let text = door.account().text(&phone(first + place), number, body);
            if place % 6 == 0 {
                at_once.push(async move { text.taken(door.client()).await });
            } else {
                text.taken(door.client()).await;
            }
        }
    }
    join_all(at_once).await;
    site.idle().await;
    let opt_outs = site.api("Maya").items("/api/v1/opt-outs").await;
    let mut ends = Ends::new();
    for (place, order) in orders.iter().enumerate() {
        let phone = phone(first + place);
        let messages = site.messages(&phone, number).await;
        let opted_out = opt_outs.iter().any(|opt_out| opt_out["peer"] == phone);
        // Whether the policy's greeting went out before the STOP depends on the order. The host's answer doesn't.
        let lasting = |message: &&Value| !opted_out || message["author"] != "policy";
        let bodies = |direction: &str| {
            let here = messages.iter().filter(|message| message["direction"] == direction).filter(lasting);
            let mut bodies: Vec<_> = here.map(|m| format!("{}: {}", m["state"], m["body"])).collect();
            bodies.sort_unstable();
            bodies
        };
        let conversation = site.conversation(&phone, number).await;
        let end = json!({
            "state": conversation["state"], "queue": conversation["queue"], "team": conversation["team"],
            "category": conversation["category"], "tags": conversation["tags"],
            "priority": conversation["priority"], "identity": conversation["identity"],
            "inbound": bodies("inbound"), "outbound": bodies("outbound"),
            "opted_out": opted_out,
        });
        ends.entry(end.to_string()).or_default().push(format!("{order:?}"));
    }
    ends
}
